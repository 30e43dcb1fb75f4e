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
    bindparam,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from chassis.errors import Busy
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
    judge,
)

_TABLE: Final = cast("Table", GrantRow.__table__)


def _free(now: ColumnElement[Any]) -> ColumnElement[bool]:
    """Open, or taken by a process whose lease is over."""
    return or_(
        _TABLE.c.state == GrantState.OPEN,
        and_(_TABLE.c.state == GrantState.REDEEMING, _TABLE.c.lease_until <= now),
    )


def _move(event: GrantEvent, condition: ColumnElement[bool]) -> Update:
    sources = [state for state, happening in GRANT_MOVES if happening is event]
    (target,) = {after for (_, happening), after in GRANT_MOVES.items() if happening is event}
    return update(_TABLE).where(_TABLE.c.state.in_(sources), condition).values(state=target)


# Built once: building a statement costs several times what executing it does.
_NOW: Final = bindparam("now", type_=_TABLE.c.lease_until.type)
_THIS: Final = _TABLE.c.id == bindparam("grant")
_LEASED_BY: Final = _TABLE.c.lease_id == bindparam("holder")
_OF_CARD: Final = _TABLE.c.card_token == bindparam("card")
_OF_KIND: Final = _TABLE.c.kind == bindparam("of_kind")
_INSERT: Final = insert(_TABLE)
_SELECT: Final = select(*(_TABLE.c[name] for name in Grant.__slots__)).with_for_update()
_FIND: Final = _SELECT.where(_THIS)
_FIND_BY_SECRET: Final = _SELECT.where(_TABLE.c.secret_hash == bindparam("secret"))
_LEASED: Final = (
    select(_TABLE.c.id)
    .where(_OF_CARD, _OF_KIND, _TABLE.c.state == GrantState.REDEEMING, _TABLE.c.lease_until > _NOW)
    .limit(1)
)
_SUPERSEDE: Final = _move(GrantEvent.EXPIRE, _free(_NOW)).where(_OF_CARD, _OF_KIND)
_COUNT_ATTEMPT: Final = (
    update(_TABLE)
    .where(_THIS, _TABLE.c.attempts < MOST_ATTEMPTS, _free(_NOW), _TABLE.c.expires_at > _NOW)
    .values(attempts=_TABLE.c.attempts + 1)
    .returning(_TABLE.c.attempts)
)
_LOCK: Final = _move(GrantEvent.LOCK, _free(_NOW)).where(_THIS)
_TAKE: Final = (
    _move(GrantEvent.TAKE, _free(_NOW))
    .where(_THIS, _TABLE.c.expires_at > _NOW)
    .values(recipient=bindparam("to"), lease_id=bindparam("holder"), lease_until=bindparam("until"))
)
_GIVE_BACK: Final = (
    _move(GrantEvent.GIVE_BACK, _LEASED_BY)
    .where(_THIS)
    .values(
        recipient=None,
        lease_id=None,
        lease_until=None,
        attempts=case((_TABLE.c.attempts > 0, _TABLE.c.attempts - 1), else_=0),
    )
)
_REVEAL: Final = (
    _move(GrantEvent.REVEAL, _LEASED_BY)
    .where(_THIS)
    .values(
        lease_id=None,
        lease_until=None,
        revealed_at=bindparam("at"),
        answer=bindparam("sealed"),
        answer_until=bindparam("until"),
    )
)


def insert_grant(session: Session, grant: Grant) -> None:
    """A new grant."""
    session.execute(_INSERT, {name: getattr(grant, name) for name in Grant.__slots__})


def find_grant(session: Session, grant_id: str) -> Grant | None:
    """The grant of that id; others can't change it until the transaction ends."""
    return _grant(session.execute(_FIND, {"grant": grant_id}).first())


def find_by_secret(session: Session, secret_hash: bytes) -> Grant | None:
    """The link of that token's hash, locked as in `find_grant`."""
    return _grant(session.execute(_FIND_BY_SECRET, {"secret": secret_hash}).first())


def challenges_since(session: Session, card_token: str, kind: GrantKind, since: datetime) -> int:
    """How many codes were sent for the card since then, of the kinds that count together with `kind`."""
    query = select(func.count()).where(
        _TABLE.c.card_token == card_token, _TABLE.c.created_at > since, _TABLE.c.kind.in_(COUNTED_TOGETHER[kind])
    )
    return session.execute(query).scalar_one()


def leased_of_card(session: Session, card_token: str, kind: GrantKind, now: datetime) -> bool:
    """Whether a grant of that kind is being redeemed for the card right now."""
    return session.execute(_LEASED, {"card": card_token, "of_kind": kind, "now": now}).first() is not None


def supersede(session: Session, card_token: str, kind: GrantKind, now: datetime) -> None:
    """Expires the card's open grants of that kind: the newest is the only one that works."""
    session.execute(_SUPERSEDE, {"card": card_token, "of_kind": kind, "now": now})


def count_attempt(session: Session, grant_id: str, now: datetime) -> int | None:
    """Counts one more guess, before it is compared; returns how many there were. None when none are left."""
    counted = session.execute(_COUNT_ATTEMPT, {"grant": grant_id, "now": now})
    return cast("int | None", counted.scalar_one_or_none())


def lock_grant(session: Session, grant_id: str, now: datetime) -> None:
    """Ends a challenge that was guessed at too often."""
    session.execute(_LOCK, {"grant": grant_id, "now": now})


def take_grant(session: Session, grant: Grant, recipient: bytes, lease_id: str, now: datetime) -> None:
    """Step (2) of redeeming, open → redeeming: leases the grant to one process and one recipient.

    Raises what `judge` raises, or Busy, when it is not free any more: since it was judged its time has ended, or
    somebody else has taken it.
    """
    values = {"grant": grant.id, "now": now, "to": recipient, "holder": lease_id, "until": now + LEASE}
    if not _moved(session, _TAKE, values):
        judge(find_grant(session, grant.id) or grant, recipient, now)
        raise Busy


def give_back_grant(session: Session, grant_id: str, lease_id: str) -> bool:
    """Opens it again after a fault, and takes back the attempt: the code was right, nothing was shown."""
    return _moved(session, _GIVE_BACK, {"grant": grant_id, "holder": lease_id})


def reveal_grant(
    session: Session, grant_id: str, lease_id: str, *, answer: str, now: datetime, answer_until: datetime
) -> bool:
    """Step 4: redeeming → revealed, by the process that holds the lease, with the answer to repeat."""
    values = {"grant": grant_id, "holder": lease_id, "at": now, "sealed": answer, "until": answer_until}
    return _moved(session, _REVEAL, values)


def expire_overdue(session: Session, now: datetime) -> int:
    """Expires grants past their time; returns how many."""
    return _count(session, _move(GrantEvent.EXPIRE, _free(_NOW)).where(_TABLE.c.expires_at <= _NOW), {"now": now})


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


def _moved(session: Session, statement: Update, values: dict[str, Any]) -> bool:  # Any: column values
    return _count(session, statement, values) == 1


def _count(session: Session, statement: Update, values: dict[str, Any] | None = None) -> int:  # Any: column values
    return cast("CursorResult[Any]", session.execute(statement, values)).rowcount


def _grant(row: Row[Any] | None) -> Grant | None:
    if row is None:
        return None
    values = dict(zip(Grant.__slots__, row, strict=True))
    return Grant(**values | {"kind": GrantKind(values["kind"]), "state": GrantState(values["state"])})
