"""Reading and moving card rows. Every change of state is one conditional UPDATE built from rules.py.

Holds ciphertexts only; what they open to is none of this room's business.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import (
    Column,
    ColumnElement,
    CursorResult,
    Row,
    Table,
    Update,
    bindparam,
    case,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Session

from chassis.db import Write
from chassis.errors import CardGone, NotFound, PermissionDenied
from services.vault.custody.models import CardRow
from services.vault.custody.rules import (
    LIVE_CARD,
    LIVE_CVV,
    CardEvent,
    CardState,
    CvvEvent,
    CvvState,
    card_sources,
    card_target,
    cvv_sources,
    cvv_target,
)

_TABLE: Final = cast("Table", CardRow.__table__)
_LIVE: Final = tuple(LIVE_CARD)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCard:
    """What a new row holds. `cvv_*` are None when no CVV is kept; `keyed_in` when it came from a form."""

    token: str
    agency_id: str
    payment_id: str
    owner_agent_id: str
    brand: str
    last4: str
    cipher: str
    key_version: int
    cvv_cipher: str | None
    cvv_key_version: int | None
    stored_at: datetime
    kept_until: datetime
    cvv_kept_until: datetime | None
    keyed_in: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A card as its row says it is."""

    token: str
    agency_id: str
    payment_id: str
    owner_agent_id: str
    state: CardState
    brand: str
    last4: str
    cipher: str | None
    cvv_state: CvvState
    cvv_cipher: str | None
    stored_at: datetime
    kept_until: datetime
    cvv_kept_until: datetime | None
    revealed_at: datetime | None
    cvv_shown_at: datetime | None
    removed_at: datetime | None

    def lives(self, now: datetime) -> bool:
        """Whether the card is in the vault and within its time, swept or not."""
        return self.state in LIVE_CARD and now < self.kept_until

    def has_cvv(self, now: datetime) -> bool:
        """Whether a CVV is held, and within its time."""
        return self.cvv_state in LIVE_CVV and self.cvv_kept_until is not None and now < self.cvv_kept_until


_COLUMNS: Final = tuple(_TABLE.c[name] for name in Card.__slots__)
# Built once: building a statement costs several times what executing it does.
_INSERT: Final = insert(_TABLE)
_FIND: Final = select(*_COLUMNS).where(_TABLE.c.token == bindparam("card"))
_FIND_LOCKED: Final = _FIND.with_for_update()
_KEYED: Final = (
    select(*_COLUMNS).where(_TABLE.c.keyed_in == bindparam("phone_session")).order_by(_TABLE.c.stored_at.desc())
)


def _showing(event: CardEvent) -> Update:
    return (
        update(_TABLE)
        .where(
            _TABLE.c.token == bindparam("card"),
            _TABLE.c.state.in_(card_sources(event)),
            _TABLE.c.kept_until > bindparam("at"),
        )
        .values(state=card_target(event), revealed_at=bindparam("at"))
    )


_REVEAL: Final = _showing(CardEvent.REVEAL)
_SHOW_AGAIN: Final = _showing(CardEvent.SHOW_AGAIN)


def storing_cards(new: Sequence[NewCard]) -> Write:
    """Stores cards (at least one).

    IntegrityError when a payment has a live card (see `replace_card_of_payment`) or comes twice.
    """
    return Write(statement=_INSERT, rows=[_columns(card) for card in new])


def find_card(session: Session, token: str, *, lock: bool = False) -> Card | None:
    """The card of that token. `lock` keeps others from changing it until the transaction ends."""
    row = session.execute(_FIND_LOCKED if lock else _FIND, {"card": token}).first()
    return _card(row) if row is not None else None


def owned_card(session: Session, token: str, agent_id: str, *, lock: bool = False) -> Card:
    """The card, for its owner agent. Raises NotFound, or PermissionDenied for any other agent."""
    card = find_card(session, token, lock=lock)
    if card is None:
        raise NotFound("The vault has no such card.")
    demand_owner(card, agent_id)
    return card


def demand_owner(card: Card, agent_id: str) -> None:
    """Raises PermissionDenied for any agent but the card's owner."""
    if card.owner_agent_id != agent_id:
        raise PermissionDenied("This card belongs to another agent.")


def keyed_card(session: Session, phone_session_id: str, now: datetime) -> Card | None:
    """The live card that was keyed in a phone session; the newest, where the vault was asked to store it again."""
    rows = session.execute(_KEYED, {"phone_session": phone_session_id})
    return next((card for card in map(_card, rows) if card.lives(now)), None)


def live_card(session: Session, token: str, agent_id: str, now: datetime, *, lock: bool = False) -> Card:
    """As `owned_card`; raises CardGone when it was removed or is past its time."""
    card = owned_card(session, token, agent_id, lock=lock)
    if not card.lives(now):
        raise CardGone
    return card


def reveal_card(session: Session, token: str, at: datetime) -> bool:
    """stored → revealed. False when it was in another state, or past its time."""
    return _moved(session, _REVEAL, {"card": token, "at": at})


def show_card_again(session: Session, token: str, at: datetime) -> bool:
    """Shows a revealed card once more (M9); the caller uses an approval up. `revealed_at` is the last time it was
    shown. False when it was in another state, or past its time."""
    return _moved(session, _SHOW_AGAIN, {"card": token, "at": at})


def destroy_card(session: Session, token: str, event: CardEvent, at: datetime) -> bool:
    """Removes or lapses: both ciphertexts go, whatever the CVV's state. False when the card was gone already."""
    return _moved(session, _destruction(event, at).where(_TABLE.c.token == token))


def replace_card_of_payment(session: Session, agency_id: str, payment_id: str, at: datetime) -> str | None:
    """Removes the payment's live card, if it has one, and gives its token."""
    statement = _destruction(CardEvent.REMOVE, at).where(
        _TABLE.c.agency_id == agency_id, _TABLE.c.payment_id == payment_id
    )
    return session.execute(statement.returning(_TABLE.c.token)).scalar_one_or_none()


def _destruction(event: CardEvent, at: datetime) -> Update:
    # One statement: the CVV's next state depends on its present one, and no row may break a check in between.
    cvv_state = case((_TABLE.c.cvv_state.in_(cvv_sources(CvvEvent.PURGE)), cvv_target(CvvEvent.PURGE)))
    return (
        update(_TABLE)
        .where(_TABLE.c.state.in_(card_sources(event)))
        .values(
            state=card_target(event),
            removed_at=at,
            cipher=None,
            key_version=None,
            cvv_cipher=None,
            cvv_key_version=None,
            cvv_state=func.coalesce(cvv_state, _TABLE.c.cvv_state),
        )
    )


def supply_cvv(session: Session, token: str, cipher: str, key_version: int, kept_until: datetime) -> bool:
    """Holds a CVV for a live card. False when the card is gone."""
    return _moved(
        session,
        update(_TABLE)
        .where(
            _TABLE.c.token == token,
            _TABLE.c.state.in_(_LIVE),
            _TABLE.c.cvv_state.in_(cvv_sources(CvvEvent.SUPPLY)),
        )
        .values(
            cvv_state=cvv_target(CvvEvent.SUPPLY),
            cvv_cipher=cipher,
            cvv_key_version=key_version,
            cvv_kept_until=kept_until,
            cvv_shown_at=None,
        ),
    )


def move_cvv(session: Session, token: str, event: CvvEvent, at: datetime) -> bool:
    """Links, shows or purges the CVV; the last two destroy its ciphertext. False when its state forbids it."""
    values: dict[str, Any] = {"cvv_state": cvv_target(event)}  # Any: column values
    if event in (CvvEvent.SHOW, CvvEvent.PURGE):
        values |= {"cvv_cipher": None, "cvv_key_version": None}
    if event is CvvEvent.SHOW:
        values["cvv_shown_at"] = at
    where = [_TABLE.c.token == token, _TABLE.c.cvv_state.in_(cvv_sources(event))]
    if event is not CvvEvent.PURGE:
        where += [_TABLE.c.cvv_kept_until > at, _TABLE.c.state.in_(_LIVE)]
    return _moved(session, update(_TABLE).where(*where).values(**values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Cards or CVVs at a moment: how many are held, when the first of them goes, how many are late."""

    held: int
    next_until: datetime | None
    overdue: int


def kept_cards(session: Session, now: datetime) -> Kept:
    """Live cards."""
    return _kept(session, _TABLE.c.state.in_(_LIVE), _TABLE.c.kept_until, now)


def kept_cvvs(session: Session, now: datetime) -> Kept:
    """CVVs that could still be shown."""
    return _kept(session, _TABLE.c.cvv_state.in_(tuple(LIVE_CVV)), _TABLE.c.cvv_kept_until, now)


def _kept(session: Session, live: ColumnElement[bool], until: Column[datetime], now: datetime) -> Kept:
    query = select(func.count(), func.min(until), func.count().filter(until <= now)).where(live)
    held, first, overdue = session.execute(query).one()
    return Kept(held=held, next_until=first, overdue=overdue)


def overdue_cards(session: Session, now: datetime, limit: int) -> list[str]:
    """Tokens of live cards past their time."""
    query = select(_TABLE.c.token).where(_TABLE.c.state.in_(_LIVE), _TABLE.c.kept_until <= now).limit(limit)
    return list(session.execute(query.with_for_update(skip_locked=True)).scalars())


def overdue_cvvs(session: Session, now: datetime, limit: int) -> list[str]:
    """Tokens of cards whose CVV is past its time."""
    query = (
        select(_TABLE.c.token)
        .where(_TABLE.c.cvv_state.in_(tuple(LIVE_CVV)), _TABLE.c.cvv_kept_until <= now)
        .limit(limit)
    )
    return list(session.execute(query.with_for_update(skip_locked=True)).scalars())


def _moved(session: Session, statement: Update, values: dict[str, Any] | None = None) -> bool:  # Any: column values
    return cast("CursorResult[Any]", session.execute(statement, values)).rowcount == 1


def _columns(new: NewCard) -> dict[str, Any]:  # Any: column values
    return {
        **{name: getattr(new, name) for name in NewCard.__slots__},
        "state": CardState.STORED,
        "cvv_state": CvvState.HELD if new.cvv_cipher is not None else CvvState.NONE,
    }


def _card(row: Row[Any]) -> Card:
    values = dict(zip(Card.__slots__, row, strict=True))
    return Card(**values | {"state": CardState(values["state"]), "cvv_state": CvvState(values["cvv_state"])})
