"""The demo's standing orders, as if they had run for a while: one runs, one is paused, one is over, one was declined.

No gateway keeps a card for them: when the day of one comes, its client is asked for one, as where a card has ended.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.ids import new_id
from chassis.money import Money
from protos.wayvault.common.v1 import common_pb2
from protos.wayvault.events.v1.events_pb2 import PaymentContext, StandingOrderTold
from protos.wayvault.events.v1.events_pb2 import PaymentType as WireType
from services.crm.core.actor import Actor
from services.crm.models import StandingOrderRow
from services.crm.parts import Dependencies
from services.crm.paying.payments.service import NewPayment, PaymentState, PaymentType, open_payment
from services.crm.paying.standing_orders.held import HeldOrder, tell, zone_of
from services.crm.paying.standing_orders.plan import Every, Plan, due_date, plan_words
from services.crm.paying.standing_orders.rules import OrderState, morning_of
from services.crm.trips.bookings.service import BookingDetail, BookingFilter, BookingStatus

_NOTICE_DAYS: Final = 3
_CARD: Final = ("visa", "4242")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Story:
    """An order that began some days ago, and how far it has come."""

    purpose: str
    amount_minor: int
    every: Every
    began: int
    times: int | None
    made: int
    state: OrderState
    note: str = ""


_STORIES: Final = (
    _Story(
        purpose="Planning fee, paid monthly",
        amount_minor=45_00,
        every=Every.MONTH,
        began=70,
        times=12,
        made=3,
        state=OrderState.ACTIVE,
    ),
    _Story(
        purpose="Club fee",
        amount_minor=120_00,
        every=Every.QUARTER,
        began=40,
        times=None,
        made=1,
        state=OrderState.PAUSED,
    ),
    _Story(
        purpose="Planning fee in three parts",
        amount_minor=80_00,
        every=Every.FORTNIGHT,
        began=45,
        times=3,
        made=3,
        state=OrderState.COMPLETED,
    ),
    _Story(
        purpose="Concierge service, paid weekly",
        amount_minor=25_00,
        every=Every.WEEK,
        began=14,
        times=10,
        made=2,
        state=OrderState.ACTIVE,
        note="There is not enough money on the card.",
    ),
)


def add_standing_orders(deps: Dependencies, actor: Actor, today: date) -> None:
    """An agent's orders, one for each of their next trips, unless they have any."""
    booked = deps.trips.bookings.export(actor, BookingFilter(status=BookingStatus.BOOKED))
    own = sorted((each for each in booked if actor.owns(each.agent_id)), key=lambda each: (each.created_at, each.id))
    with deps.core.database.transaction() as session:
        if session.scalar(select(StandingOrderRow.id).where(StandingOrderRow.agent_id == actor.agent_id).limit(1)):
            return
        payable = [each for each in own if each.lead is not None and each.lead.email]
        for story, booking in zip(_STORIES, payable, strict=False):
            _add(deps, session, story, booking, today)


def _add(deps: Dependencies, session: Session, story: _Story, booking: BookingDetail, today: date) -> None:
    assert booking.lead is not None
    plan = Plan(
        amount=Money(minor=story.amount_minor, currency="USD"),
        every=story.every,
        first_on=today - timedelta(days=story.began),
        times=story.times,
    )
    context = _context(deps, session, story, booking, plan)
    began = morning_of(plan.first_on - timedelta(days=2), context.agency.time_zone)
    row = StandingOrderRow(
        id=new_id("order"),
        agency_id=booking.agency_id,
        agent_id=booking.agent_id,
        booking_id=booking.id,
        client_id=booking.lead.client_id,
        request_key=f"demo {new_id('order')}",
        context=context.SerializeToString(),
        payer_name=booking.lead.name,
        purpose=story.purpose,
        amount_minor=story.amount_minor,
        currency="USD",
        every=story.every,
        first_on=plan.first_on,
        times=story.times,
        notice_days=_NOTICE_DAYS,
        state=story.state,
        card_brand=_CARD[0],
        card_last4=_CARD[1],
        created_at=began,
        begun_at=began + timedelta(hours=5),
    )
    session.add(row)
    session.flush()
    held = HeldOrder(row=row, payment=None, charge=None)
    for index in range(story.made):
        _charged(session, held, context, index, due_date(plan, index))
    row.made = row.index = story.made
    row.payment_id = None
    _go_on(session, held, context, story, today)
    tell(session, deps.core.outbox, row, StandingOrderTold.NEWS_UNSPECIFIED, deps.core.clock.now())


def _charged(session: Session, held: HeldOrder, context: PaymentContext, index: int, due_on: date) -> None:
    at = morning_of(due_on, zone_of(held.row)) + timedelta(minutes=2)
    payment = open_payment(session, _new(held, context, due_on, PaymentState.PROCESSED), at=at)
    payment.made_on(at)
    payment.note(confirmation=f"pi_{at:%y%m%d}{index:02d}", words="Charged through Stripe")
    payment.paid_by(brand=_CARD[0], last4=_CARD[1])
    held.row.index = index
    held.begin_day(session, payment)
    held.row.ended_at = at


def _go_on(session: Session, held: HeldOrder, context: PaymentContext, story: _Story, today: date) -> None:
    """Where it stands today: what the worker looks at next, or that nothing is to be done any more."""
    row = held.row
    if story.state is not OrderState.COMPLETED:
        row.ended_at = None
    if story.state is not OrderState.ACTIVE:
        return
    row.act_at = row.created_at
    if story.note:
        tomorrow = today + timedelta(days=1)
        moment = morning_of(today, zone_of(row))
        payment = open_payment(session, _new(held, context, today, PaymentState.SCHEDULED), at=moment)
        payment.paid_by(brand=_CARD[0], last4=_CARD[1])
        held.begin_day(session, payment)
        row.note, row.tries, row.charge_on, row.act_at = story.note, 1, tomorrow, morning_of(tomorrow, zone_of(row))


def _context(deps: Dependencies, session: Session, story: _Story, booking: BookingDetail, plan: Plan) -> PaymentContext:
    assert booking.lead is not None
    context = PaymentContext(
        booking_id=booking.id,
        amount=common_pb2.Money(minor=story.amount_minor, currency="USD"),
        type=WireType.PAYMENT_TYPE_SERVICE_FEE,
        purpose=story.purpose,
        due_on=plan.first_on.isoformat(),
        plan=plan_words(plan),
        notice_days=_NOTICE_DAYS,
    )
    context.payer.id = booking.lead.client_id
    return deps.paying.links.fresh_context(session, context)


def _new(held: HeldOrder, context: PaymentContext, due_on: date, state: PaymentState) -> NewPayment:
    context.due_on = due_on.isoformat()
    return NewPayment(
        context=context, payer_name=held.row.payer_name, type=PaymentType.SERVICE_FEE, due_on=due_on, state=state
    )
