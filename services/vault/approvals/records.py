"""Reading and moving second reveals. Every change of state is one conditional UPDATE built from rules.py."""

from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, CursorResult, Row, Table, Update, delete, insert, select, update
from sqlalchemy.orm import Session

from services.vault.approvals.models import SecondRevealRow
from services.vault.approvals.rules import (
    APPROVAL_TTL,
    ENDED,
    OPEN,
    SECOND_MOVES,
    SecondEvent,
    SecondReveal,
    SecondState,
)

_TABLE: Final = cast("Table", SecondRevealRow.__table__)
_FIND: Final = select(*(_TABLE.c[name] for name in SecondReveal.__slots__))


def insert_second(session: Session, new: SecondReveal) -> None:
    """A new request. Raises IntegrityError when the card has an open one."""
    session.execute(insert(_TABLE), {name: getattr(new, name) for name in SecondReveal.__slots__})


def find_second(session: Session, second_id: str, *, lock: bool = False) -> SecondReveal | None:
    """The second reveal of that id. `lock` keeps others from changing it until the transaction ends."""
    query = _FIND.where(_TABLE.c.id == second_id)
    return _second(session.execute(query.with_for_update() if lock else query).first())


def open_of_card(session: Session, card_token: str) -> SecondReveal | None:
    """The card's open second reveal, within its time or not, locked."""
    query = _FIND.where(_TABLE.c.card_token == card_token, _TABLE.c.state.in_(OPEN))
    return _second(session.execute(query.with_for_update()).first())


def standing_approval(session: Session, card_token: str, now: datetime) -> SecondReveal | None:
    """The approval by which the card's owner may retrieve it once more now, locked; None when there is none."""
    second = open_of_card(session, card_token)
    return second if second is not None and second.lets(now) else None


def approve(session: Session, second_id: str, approver_id: str, now: datetime) -> bool:
    """requested → approved, good for APPROVAL_TTL. False when it was decided or is past its time."""
    statement = _move(SecondEvent.APPROVE, _TABLE.c.expires_at > now, _TABLE.c.owner_agent_id != approver_id)
    return _moved(
        session,
        statement.where(_TABLE.c.id == second_id).values(
            approver_id=approver_id, decided_at=now, expires_at=now + APPROVAL_TTL
        ),
    )


def refuse(session: Session, second_id: str, approver_id: str, now: datetime) -> bool:
    """requested → refused. False when it was decided or is past its time."""
    statement = _move(SecondEvent.REFUSE, _TABLE.c.expires_at > now, _TABLE.c.owner_agent_id != approver_id)
    return _moved(session, statement.where(_TABLE.c.id == second_id).values(approver_id=approver_id, decided_at=now))


def use(session: Session, second_id: str, now: datetime) -> bool:
    """approved → used: the card is shown once more in this transaction. False when the approval is used or over."""
    statement = _move(SecondEvent.USE, _TABLE.c.expires_at > now).where(_TABLE.c.id == second_id)
    return _moved(session, statement.values(used_at=now))


def expire(session: Session, second_id: str, now: datetime) -> bool:
    """Ends one that is past its time. False when it is not, or ended otherwise."""
    return _moved(session, _move(SecondEvent.EXPIRE, _TABLE.c.expires_at <= now).where(_TABLE.c.id == second_id))


def overdue(session: Session, now: datetime, limit: int) -> list[SecondReveal]:
    """Open ones past their time."""
    query = _FIND.where(_TABLE.c.state.in_(OPEN), _TABLE.c.expires_at <= now).limit(limit)
    rows = session.execute(query.with_for_update(skip_locked=True)).all()
    return [second for row in rows if (second := _second(row)) is not None]


def delete_ended(session: Session, before: datetime) -> int:
    """Deletes those that ended before then; the audit trail keeps their story. Returns how many."""
    done = session.execute(delete(_TABLE).where(_TABLE.c.state.in_(ENDED), _TABLE.c.expires_at < before))
    return cast("CursorResult[Any]", done).rowcount


def _move(event: SecondEvent, *conditions: ColumnElement[bool]) -> Update:
    sources = [state for state, happening in SECOND_MOVES if happening is event]
    (target,) = {after for (_, happening), after in SECOND_MOVES.items() if happening is event}
    return update(_TABLE).where(_TABLE.c.state.in_(sources), *conditions).values(state=target)


def _moved(session: Session, statement: Update) -> bool:
    return cast("CursorResult[Any]", session.execute(statement)).rowcount == 1


def _second(row: Row[Any] | None) -> SecondReveal | None:
    if row is None:
        return None
    values = dict(zip(SecondReveal.__slots__, row, strict=True))
    return SecondReveal(**values | {"state": SecondState(values["state"])})
