"""Use cases of standing orders: propose, pause, resume, cancel, ask for another card; and what pages read."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import InvalidArgument, NotFound, PermissionDenied
from chassis.ids import new_id
from protos.wayvault.events.v1.events_pb2 import StandingOrderTold
from services.crm.access.agency.service import Directory
from services.crm.access.enrolment.service import Enrolments
from services.crm.core.actor import Actor
from services.crm.core.ordering import Key, Keys, Order, in_order
from services.crm.core.paging import PAGE_SIZE, Page, bounded_count, offset
from services.crm.core.visibility import visible_to
from services.crm.paying.charging.service import Charges
from services.crm.paying.links.service import LinkRequest, PaymentLinks, Share
from services.crm.paying.payments.service import Payment, PaymentType, locked, payments_by_id
from services.crm.paying.standing_orders.acts import Acts
from services.crm.paying.standing_orders.ahead import Ahead, ahead_of
from services.crm.paying.standing_orders.held import HeldOrder, hold, tell, today_of
from services.crm.paying.standing_orders.models import StandingOrderRow, StandingPaymentRow
from services.crm.paying.standing_orders.plan import plan_words
from services.crm.paying.standing_orders.records import Proposal, StandingOrder, order_of
from services.crm.paying.standing_orders.rules import ENDED, OrderState, plan_refusal
from services.crm.sales.clients.service import name_key
from services.crm.trips.bookings.service import Bookings

__all__ = ["NEWEST", "ORDER_KEYS", "OrderSort", "OrderState", "Proposal", "StandingOrder", "StandingOrders"]

EXPORT_LIMIT = 10_000
_NONE = "There is no such standing order among yours."


class OrderSort(StrEnum):
    """What the list can be ordered by."""

    NEWEST = "newest"
    CLIENT = "client"
    AMOUNT = "amount"
    STATE = "state"


NEWEST = Order(OrderSort.NEWEST)
ORDER_KEYS: Keys[OrderSort] = {
    OrderSort.NEWEST: Key(StandingOrderRow.created_at, falling=True),
    OrderSort.CLIENT: Key(name_key(StandingOrderRow.client_id), StandingOrderRow.created_at),
    OrderSort.AMOUNT: Key(StandingOrderRow.amount_minor, falling=True),
    OrderSort.STATE: Key(StandingOrderRow.state, StandingOrderRow.created_at),
}


class StandingOrders:
    """The room's use cases. Doing one twice does it once."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        clock: Clock,
        bookings: Bookings,
        directory: Directory,
        enrolments: Enrolments,
        links: PaymentLinks,
        charges: Charges,
        acts: Acts,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._bookings = bookings
        self._directory = directory
        self._enrolments = enrolments
        self._links = links
        self._charges = charges
        self._acts = acts

    def why_not(self, agency_id: str) -> str:
        """Why the agency can have no standing orders, in words; empty when it can."""
        try:
            self._charges.card_keeper(agency_id)
        except InvalidArgument as refused:
            return refused.message
        return ""

    def card_left_behind(self, order: StandingOrder) -> bool:
        """Whether its card is kept by a gateway account that the agency has left; False where nobody can tell now."""
        return (
            bool(order.mandate_id)
            and order.state not in ENDED
            and self._charges.is_left(order.agency_id, order.mandate_id)
        )

    def propose(self, actor: Actor, booking_id: str, wanted: Proposal) -> StandingOrder:
        """Mails the client a link by which they authorize the plan; the same form again proposes nothing more.

        Raises NotFound, PermissionDenied, InvalidArgument.
        """
        gateway = self._charges.card_keeper(actor.agency_id)
        self._enrolments.require(self._directory.agent(actor.agent_id))
        try:
            with self._database.transaction() as session:
                return self._proposed(session, wanted) or self._open(
                    session, actor, booking_id, wanted, live=gateway.live
                )
        except IntegrityError:
            with self._database.read() as session:
                if made := self._proposed(session, wanted):
                    return made
            raise

    def pause(self, actor: Actor, order_id: str) -> StandingOrder:
        """Nothing is charged until it is resumed. Raises NotFound, PermissionDenied, InvalidArgument."""
        with self._database.transaction() as session:
            held = self._own(session, actor, order_id)
            if held.row.state != OrderState.PAUSED:
                self._acts.pause(session, held)
            return order_of(held.row)

    def resume(self, actor: Actor, order_id: str) -> StandingOrder:
        """Goes on; the days of the pause are left out. Raises NotFound, PermissionDenied, InvalidArgument."""
        with self._database.transaction() as session:
            held = self._own(session, actor, order_id)
            if held.row.state != OrderState.ACTIVE:
                self._acts.resume(session, held)
            return order_of(held.row)

    def cancel(self, actor: Actor, order_id: str) -> StandingOrder:
        """Ends it for good. Raises NotFound, PermissionDenied, InvalidArgument."""
        with self._database.transaction() as session:
            held = self._own(session, actor, order_id)
            if held.row.state != OrderState.CANCELLED:
                self._acts.cancel(session, held, by=f"Cancelled by {actor.name}.")
            return order_of(held.row)

    def ask_for_card(self, actor: Actor, order_id: str) -> StandingOrder:
        """Mails the client a link by which they give another card, from the next charge on.

        Raises NotFound, PermissionDenied, InvalidArgument.
        """
        with self._database.transaction() as session:
            held = self._own(session, actor, order_id)
            self._acts.ask_for_card(session, held)
            return order_of(held.row)

    # ---- what pages read

    def get(self, actor: Actor, order_id: str) -> StandingOrder:
        """Raises NotFound for one that the actor may not see."""
        query = select(StandingOrderRow).where(
            visible_to(actor, StandingOrderRow.agency_id, StandingOrderRow.agent_id), StandingOrderRow.id == order_id
        )
        with self._database.read() as session:
            row = session.scalar(query)
            if row is None:
                raise NotFound(_NONE)
            return order_of(row)

    def payments_of(self, order: StandingOrder) -> Sequence[Payment]:
        """The payments of an order that the caller may see, newest first."""
        query = select(StandingPaymentRow.payment_id).where(StandingPaymentRow.order_id == order.id)
        with self._database.read() as session:
            found = payments_by_id(session, session.scalars(query).all())
        return sorted(found.values(), key=lambda payment: payment.created_at, reverse=True)

    def list_page(self, actor: Actor, number: int, order: Order[OrderSort] = NEWEST) -> Page[StandingOrder]:
        """A page of all that the actor may see."""
        query = _listed(actor, order)
        with self._database.read() as session:
            total = bounded_count(session, query.with_only_columns(StandingOrderRow.id).order_by(None))
            rows = session.scalars(query.limit(PAGE_SIZE).offset(offset(number)))
            return Page(items=[order_of(row) for row in rows], total=total, number=number)

    def export(self, actor: Actor, order: Order[OrderSort]) -> list[StandingOrder]:
        """All that the actor may see (at most EXPORT_LIMIT)."""
        with self._database.read() as session:
            return [order_of(row) for row in session.scalars(_listed(actor, order).limit(EXPORT_LIMIT))]

    def ahead(self, actor: Actor, first: date, last: date, *, agent_id: str = "") -> Ahead:
        """What will be charged from `first` to `last`; `agent_id`: of one agent, for admins."""
        query = _listed(actor, NEWEST).where(StandingOrderRow.state.not_in(ENDED))
        if agent_id:
            query = query.where(StandingOrderRow.agent_id == agent_id)
        now = self._clock.now()
        with self._database.read() as session:
            orders = [(order_of(row), today_of(row, now)) for row in session.scalars(query)]
        return ahead_of(orders, first, last)

    # ---- pieces

    def _proposed(self, session: Session, wanted: Proposal) -> StandingOrder | None:
        row = session.scalar(select(StandingOrderRow).where(StandingOrderRow.request_key == wanted.request_key))
        return order_of(row) if row is not None else None

    def _open(self, session: Session, actor: Actor, booking_id: str, wanted: Proposal, *, live: bool) -> StandingOrder:
        booking = self._bookings.hold_own(session, actor, booking_id)
        agency = self._directory.load_agency(session, booking.agency_id).data
        now, plan = self._clock.now(), wanted.plan
        today = now.astimezone(ZoneInfo(agency.time_zone)).date()
        field, why = plan_refusal(plan, today=today, card_days=agency.card_retention_days)
        if why:
            raise InvalidArgument(why, field=field)
        request = LinkRequest(
            request_key=wanted.request_key,
            segment_id="",
            type=PaymentType.SERVICE_FEE,
            purpose=wanted.purpose,
            due_on=plan.first_on,
            shares=[Share(client_id=wanted.client_id, amount=plan.amount)],
            plan=plan_words(plan),
            notice_days=agency.notice_days,
        )
        link = self._links.open(session, booking, request, request.shares[0])
        payment = locked(session, link.payment_id)
        if payment is None:
            raise NotFound("There is no such payment.")
        context = payment.context
        context.payment_id = ""
        row = StandingOrderRow(
            id=new_id("order"),
            agency_id=booking.agency_id,
            agent_id=booking.agent_id,
            booking_id=booking.id,
            client_id=wanted.client_id,
            request_key=wanted.request_key,
            context=context.SerializeToString(),
            payer_name=payment.now.payer_name,
            purpose=wanted.purpose,
            amount_minor=plan.amount.minor,
            currency=plan.amount.currency,
            every=plan.every,
            first_on=plan.first_on,
            times=plan.times,
            until=plan.until,
            notice_days=agency.notice_days,
            live=live,
            state=OrderState.PROPOSED,
            index=0,
            made=0,
            created_at=now,
        )
        session.add(row)
        session.flush()
        held = HeldOrder(row=row, payment=None, charge=None)
        held.begin_day(session, payment)
        tell(session, self._outbox, row, StandingOrderTold.NEWS_PROPOSED, now)
        return order_of(row)

    def _own(self, session: Session, actor: Actor, order_id: str) -> HeldOrder:
        seen = session.get(StandingOrderRow, order_id)
        if seen is None or seen.agency_id != actor.agency_id or not (actor.is_admin or actor.owns(seen.agent_id)):
            raise NotFound(_NONE)
        if not actor.owns(seen.agent_id):
            raise PermissionDenied("Only the agent who owns this standing order can change it.")
        held = hold(session, order_id)
        if held is None:
            raise NotFound(_NONE)
        return held


def _listed(actor: Actor, order: Order[OrderSort]) -> Select[StandingOrderRow]:
    query = select(StandingOrderRow).where(visible_to(actor, StandingOrderRow.agency_id, StandingOrderRow.agent_id))
    return in_order(query, order, ORDER_KEYS, StandingOrderRow.id)
