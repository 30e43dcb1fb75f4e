"""All links of an agent, by state: what is still unopened, what ends soon, what came to nothing (C14)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.db import Database
from chassis.money import Money
from services.crm.core.actor import Actor
from services.crm.core.bulk import for_each
from services.crm.core.ordering import Key, Keys, Order, in_order
from services.crm.core.paging import PAGE_SIZE, Page, bounded_count, offset
from services.crm.core.visibility import visible_to
from services.crm.paying.links.models import PaymentLinkRow
from services.crm.paying.links.rules import LIVE, LinkState
from services.crm.paying.links.service import Link, PaymentLinks, link_of
from services.crm.paying.payments.service import Payment, keys_of, payments_by_id

ENDING_SOON: Final = timedelta(hours=48)
EXPORT_LIMIT: Final = 10_000
# A page's worth: more can't be ticked.
MOST_AT_ONCE: Final = PAGE_SIZE


class Shown(StrEnum):
    """Which links the list shows."""

    ALL = ""
    UNOPENED = "unopened"
    OPENED = "opened"
    EXPIRING = "expiring"
    UNDELIVERED = "undelivered"
    EXPIRED = "expired"
    SUBMITTED = "submitted"
    REVOKED = "revoked"


SHOWN_WORDS: Final = {
    Shown.ALL: "All",
    Shown.UNOPENED: "Unopened",
    Shown.OPENED: "Opened",
    Shown.EXPIRING: "Expiring",
    Shown.UNDELIVERED: "Not delivered",
    Shown.EXPIRED: "Expired",
    Shown.SUBMITTED: "Submitted",
    Shown.REVOKED: "Revoked",
}


class LinkSort(StrEnum):
    """What the list can be ordered by."""

    SENT = "sent"
    CLIENT = "client"
    BOOKING = "booking"
    AMOUNT = "amount"
    STATE = "state"
    ENDS = "ends"


_PAYMENT: Final = keys_of(PaymentLinkRow.payment_id)
LINK_KEYS: Keys[LinkSort] = {
    LinkSort.SENT: Key(PaymentLinkRow.created_at, falling=True),
    LinkSort.CLIENT: Key(_PAYMENT.payer, PaymentLinkRow.created_at),
    LinkSort.BOOKING: Key(_PAYMENT.title, PaymentLinkRow.created_at),
    LinkSort.AMOUNT: Key(_PAYMENT.amount, falling=True),
    LinkSort.STATE: Key(PaymentLinkRow.state, PaymentLinkRow.created_at),
    LinkSort.ENDS: Key(PaymentLinkRow.expires_at),
}


def usual_order(shown: Shown) -> Order[LinkSort]:
    """What ends first on top where that is asked, else the newest."""
    return Order(LinkSort.ENDS if shown is Shown.EXPIRING else LinkSort.SENT)


# Those that are few at any time are counted.
_COUNTED: Final = (Shown.UNOPENED, Shown.OPENED, Shown.EXPIRING, Shown.UNDELIVERED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedLink:
    """A link in the list, with what it asks for."""

    link: Link
    agent_id: str
    payer_name: str
    booking_title: str
    supplier_name: str
    amount: Money
    due_on: date | None
    ends_soon: bool


class Picked(NamedTuple):
    """A link as the list showed it."""

    link_id: str
    issue: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of several links at once: those done, and which of the others were not and why."""

    done: Sequence[Link]
    refused: Sequence[str]


class LinkOverview:
    """The list of links, and what is done with several of them."""

    def __init__(self, *, database: Database, clock: Clock, links: PaymentLinks) -> None:
        self._database = database
        self._clock = clock
        self._links = links

    def page(self, actor: Actor, shown: Shown, number: int, order: Order[LinkSort] | None = None) -> Page[ListedLink]:
        """A page of the list; in its usual order where none is named."""
        now = self._clock.now()
        query = self._query(actor, shown, now, order)
        with self._database.read() as session:
            total = bounded_count(session, query.with_only_columns(PaymentLinkRow.id).order_by(None))
            rows = session.scalars(query.limit(PAGE_SIZE).offset(offset(number))).all()
            return Page(items=_with_payments(session, rows, now), total=total, number=number)

    def export(self, actor: Actor, shown: Shown, order: Order[LinkSort] | None = None) -> list[ListedLink]:
        """Everything that the list shows (at most EXPORT_LIMIT)."""
        now = self._clock.now()
        with self._database.read() as session:
            rows = session.scalars(self._query(actor, shown, now, order).limit(EXPORT_LIMIT)).all()
            return _with_payments(session, rows, now)

    def counts(self, actor: Actor) -> Mapping[Shown, int]:
        """How many links wait for their clients, by what is shown of them."""
        now = self._clock.now()
        sums = [func.count().filter(_condition(shown, now)) for shown in _COUNTED]
        query = select(*sums).where(
            visible_to(actor, PaymentLinkRow.agency_id, PaymentLinkRow.agent_id), PaymentLinkRow.state.in_(LIVE)
        )
        with self._database.read() as session:
            return dict(zip(_COUNTED, session.execute(query).one(), strict=True))

    def some(self, actor: Actor, picked: Sequence[Picked]) -> list[ListedLink]:
        """These links, as far as they are the actor's own, before something is done with them."""
        now = self._clock.now()
        ids = [one.link_id for one in picked[:MOST_AT_ONCE]]
        query = select(PaymentLinkRow).where(PaymentLinkRow.agent_id == actor.agent_id, PaymentLinkRow.id.in_(ids))
        with self._database.read() as session:
            return _with_payments(session, session.scalars(query).all(), now)

    def resend(self, actor: Actor, picked: Sequence[Picked]) -> Outcome:
        """Mails each again. One that can't be sent hinders no other."""
        return self._each(actor, picked, lambda one: self._links.remind(actor, one.link_id, issue=one.issue))

    def revoke(self, actor: Actor, picked: Sequence[Picked]) -> Outcome:
        """Makes each useless. One that can't be revoked hinders no other."""
        return self._each(actor, picked, lambda one: self._links.withdraw(actor, one.link_id))

    def _each(self, actor: Actor, picked: Sequence[Picked], act: Callable[[Picked], Link]) -> Outcome:
        names = {one.link.id: f"{one.payer_name}, {one.amount.format()}" for one in self.some(actor, picked)}
        told = for_each(picked[:MOST_AT_ONCE], lambda one: names.get(one.link_id, "A link"), act)
        return Outcome(
            done=[each.result for each in told if each.result is not None],
            refused=[f"{each.words}: {each.problem}" for each in told if each.problem],
        )

    def _query(
        self, actor: Actor, shown: Shown, now: datetime, order: Order[LinkSort] | None
    ) -> Select[PaymentLinkRow]:
        query = select(PaymentLinkRow).where(visible_to(actor, PaymentLinkRow.agency_id, PaymentLinkRow.agent_id))
        if shown is not Shown.ALL:
            query = query.where(_condition(shown, now))
        return in_order(query, order or usual_order(shown), LINK_KEYS, PaymentLinkRow.id)


def _with_payments(session: Session, rows: Sequence[PaymentLinkRow], now: datetime) -> list[ListedLink]:
    payments = payments_by_id(session, [row.payment_id for row in rows])
    return [_listed(row, payments[row.payment_id], now) for row in rows]


def _condition(shown: Shown, now: datetime) -> ColumnElement[bool]:
    row = PaymentLinkRow
    match shown:
        case Shown.UNOPENED:
            return row.state.in_((LinkState.ISSUED, LinkState.SENT))
        case Shown.EXPIRING:
            return and_(row.state.in_(LIVE), row.expires_at <= now + ENDING_SOON)
        case Shown.UNDELIVERED:
            return and_(row.state.in_(LIVE), row.delivery_problem != "")
        case _:
            return row.state == shown.value


def _listed(row: PaymentLinkRow, payment: Payment, now: datetime) -> ListedLink:
    link = link_of(row)
    return ListedLink(
        link=link,
        agent_id=row.agent_id,
        payer_name=payment.payer_name,
        booking_title=payment.booking_title,
        supplier_name=payment.supplier_name,
        amount=payment.amount,
        due_on=payment.due_on,
        ends_soon=link.is_live and link.expires_at <= now + ENDING_SOON,
    )
