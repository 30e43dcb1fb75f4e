"""Reading and moving grant rows. Every change of state is one conditional UPDATE; the database decides who wins."""

from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Row,
    Table,
    Update,
    and_,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from services.vault.reveal.models import GrantRow
from services.vault.reveal.rules import (
    COUNTED_TOGETHER,
    GRANT_MOVES,
    LEASE,
    MOST_ATTEMPTS,
    Grant,
    GrantEvent,
    GrantKind,
    GrantState,
)

_TABLE: Final = cast("Table", GrantRow.__table__)
_FIND: Final = select(*(_TABLE.c[name] for name in Grant.__slots__))


def insert_grant(session: Session, grant: Grant) -> None:
    """A new grant."""
    session.execute(insert(_TABLE), {name: getattr(grant, name) for name in Grant.__slots__})


def find_grant(session: Session, grant_id: str) -> Grant | None:
    """The grant of that id; others can't change it until the transaction ends."""
    return _grant(session.execute(_FIND.where(_TABLE.c.id == grant_id).with_for_update()).first())


def find_by_secret(session: Session, secret_hash: bytes) -> Grant | None:
    """The link of that token's hash, locked as in `find_grant`."""
    return _grant(session.execute(_FIND.where(_TABLE.c.secret_hash == secret_hash).with_for_update()).first())


def challenges_since(session: Session, card_token: str, kind: GrantKind, since: datetime) -> int:
    """How many codes were sent for the card since then, of the kinds that count together with `kind`."""
    query = select(func.count()).where(
        _TABLE.c.card_token == card_token, _TABLE.c.created_at > since, _TABLE.c.kind.in_(COUNTED_TOGETHER[kind])
    )
    return session.execute(query).scalar_one()


def leased_of_card(session: Session, card_token: str, kind: GrantKind, now: datetime) -> bool:
    """Whether a grant of that kind is being redeemed for the card right now."""
    query = select(_TABLE.c.id).where(
        _TABLE.c.card_token == card_token,
        _TABLE.c.kind == kind,
        _TABLE.c.state == GrantState.REDEEMING,
        _TABLE.c.lease_until > now,
    )
    return session.execute(query.limit(1)).first() is not None


def supersede(session: Session, card_token: str, kind: GrantKind, now: datetime) -> None:
    """Expires the card's open grants of that kind: the newest is the only one that works."""
    session.execute(
        _move(GrantEvent.EXPIRE, _free(now)).where(_TABLE.c.card_token == card_token, _TABLE.c.kind == kind)
    )


def count_attempt(session: Session, grant_id: str, now: datetime) -> int | None:
    """Counts one more guess, before it is compared; gives how many there were. None when none are left."""
    counted = session.execute(
        update(_TABLE)
        .where(_TABLE.c.id == grant_id, _TABLE.c.attempts < MOST_ATTEMPTS, _free(now), _TABLE.c.expires_at > now)
        .values(attempts=_TABLE.c.attempts + 1)
        .returning(_TABLE.c.attempts)
    )
    return cast("int | None", counted.scalar_one_or_none())


def lock_grant(session: Session, grant_id: str, now: datetime) -> None:
    """Ends a challenge that was guessed at too often."""
    session.execute(_move(GrantEvent.LOCK, _free(now)).where(_TABLE.c.id == grant_id))


def take_grant(session: Session, grant_id: str, recipient: bytes, lease_id: str, now: datetime) -> bool:
    """Step 2 of DESIGN.md §3: open → redeeming, for one process and one recipient. False when another was first."""
    statement = _move(GrantEvent.TAKE, _free(now)).where(_TABLE.c.id == grant_id, _TABLE.c.expires_at > now)
    return _moved(session, statement.values(recipient=recipient, lease_id=lease_id, lease_until=now + LEASE))


def give_back_grant(session: Session, grant_id: str, lease_id: str) -> bool:
    """Opens it again after a fault, and takes back the attempt: the code was right, nothing was shown."""
    statement = _move(GrantEvent.GIVE_BACK, _TABLE.c.lease_id == lease_id).where(_TABLE.c.id == grant_id)
    attempts = _TABLE.c.attempts
    return _moved(
        session,
        statement.values(
            recipient=None,
            lease_id=None,
            lease_until=None,
            attempts=case((attempts > 0, attempts - 1), else_=0),
        ),
    )


def reveal_grant(
    session: Session, grant_id: str, lease_id: str, *, answer: str, now: datetime, answer_until: datetime
) -> bool:
    """Step 4: redeeming → revealed, by the process that holds the lease, with the answer to repeat."""
    statement = _move(GrantEvent.REVEAL, _TABLE.c.lease_id == lease_id).where(_TABLE.c.id == grant_id)
    return _moved(
        session,
        statement.values(lease_id=None, lease_until=None, revealed_at=now, answer=answer, answer_until=answer_until),
    )


def expire_overdue(session: Session, now: datetime) -> int:
    """Expires grants past their time; returns how many."""
    return _count(session, _move(GrantEvent.EXPIRE, _free(now)).where(_TABLE.c.expires_at <= now))


def drop_answers(session: Session, now: datetime) -> int:
    """Forgets kept answers past their time; returns how many."""
    return _count(
        session,
        update(_TABLE).where(_TABLE.c.answer_until <= now).values(answer=None, answer_until=None),
    )


def drop_answers_of_card(session: Session, card_token: str) -> None:
    """Forgets the card's kept answers, whatever their time: the card is destroyed."""
    session.execute(
        update(_TABLE)
        .where(_TABLE.c.card_token == card_token, _TABLE.c.answer.is_not(None))
        .values(answer=None, answer_until=None)
    )


def delete_ended(session: Session, before: datetime) -> int:
    """Deletes grants that ended before then; the audit trail keeps their story. Returns how many."""
    ended = (GrantState.REVEALED, GrantState.EXPIRED, GrantState.LOCKED)
    done = session.execute(delete(_TABLE).where(_TABLE.c.state.in_(ended), _TABLE.c.expires_at < before))
    return cast("CursorResult[Any]", done).rowcount


def _free(now: datetime) -> ColumnElement[bool]:
    """Open, or taken by a process whose lease is over."""
    return or_(
        _TABLE.c.state == GrantState.OPEN,
        and_(_TABLE.c.state == GrantState.REDEEMING, _TABLE.c.lease_until <= now),
    )


def _move(event: GrantEvent, condition: ColumnElement[bool]) -> Update:
    sources = [state for state, happening in GRANT_MOVES if happening is event]
    (target,) = {after for (_, happening), after in GRANT_MOVES.items() if happening is event}
    return update(_TABLE).where(_TABLE.c.state.in_(sources), condition).values(state=target)


def _moved(session: Session, statement: Update) -> bool:
    return _count(session, statement) == 1


def _count(session: Session, statement: Update) -> int:
    return cast("CursorResult[Any]", session.execute(statement)).rowcount


def _grant(row: Row[Any] | None) -> Grant | None:
    if row is None:
        return None
    values = dict(zip(Grant.__slots__, row, strict=True))
    return Grant(**values | {"kind": GrantKind(values["kind"]), "state": GrantState(values["state"])})
