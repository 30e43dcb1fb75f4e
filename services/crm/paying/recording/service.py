"""Use cases of recorded payments: record, take a client's report, confirm or decline it, reverse a mistake (C6).

A recorded payment is a payment like any other, processed from the start: balances, reports and reminders count it
without knowing of this room. What people did stands beside it as acts, a reversal among them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import InvalidArgument
from chassis.ids import new_event_id
from chassis.money import Money
from chassis.timestamps import stamp
from protos.wayvault.common.v1 import common_pb2
from protos.wayvault.events.v1.events_pb2 import (
    PaymentContext,
    PaymentRecorded,
    PaymentReportDeclined,
    PaymentReversed,
)
from services.crm.core.actor import Actor
from services.crm.paying.links.service import WIRE_TYPES
from services.crm.paying.payments.service import (
    TYPE_WORDS,
    Fact,
    HeldPayment,
    Method,
    NewPayment,
    Payment,
    PaymentState,
    PaymentType,
    Refused,
    locked_own,
    open_payment,
    payments_by_id,
)
from services.crm.paying.recording.models import PaymentActRow
from services.crm.paying.recording.rules import ACT_WORDS, Act, day_error, may_answer, may_reverse
from services.crm.trips.bookings.service import (
    BookingDetail,
    Bookings,
    SegmentDetail,
    passenger_snapshot,
    segment_snapshot,
)

__all__ = ["ACT_WORDS", "Act", "ActDetail", "Recorded", "Recording", "note_act"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A payment that was made otherwise, as the agent writes it down. `request_key` is made with the form, so that the
    form sent twice records once; `segment_id` is empty for the agency's own service fee."""

    request_key: str
    client_id: str
    segment_id: str
    type: PaymentType
    method: Method
    amount: Money
    paid_on: date
    reference: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActDetail:
    """What somebody did, when and why; `effect` is what it added to what is paid, below zero for a reversal."""

    act: Act
    who: str
    why: str
    effect: Money
    at: datetime

    @property
    def words(self) -> str:
        return ACT_WORDS[self.act]


class Recording:
    """The recording room's use cases. Doing one twice does it once."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        clock: Clock,
        bookings: Bookings,
        barrier: Callable[[Session, str], None],
    ) -> None:
        """`barrier` raises InvalidArgument for a payment that can't be taken back by a word alone: money has moved."""
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._bookings = bookings
        self._barrier = barrier

    def record(self, actor: Actor, booking_id: str, wanted: Recorded, *, ip: str) -> Payment:
        """Writes a payment down; it counts as paid at once. The same request again answers with the first one's.

        Raises NotFound, PermissionDenied or InvalidArgument.
        """
        try:
            with self._database.transaction() as session:
                if made := _made_by(session, actor, wanted.request_key):
                    return made
                booking = self._bookings.load_own(session, actor, booking_id)
                return self._record(session, actor, booking, wanted, ip)
        except IntegrityError:
            with self._database.read() as session:
                if made := _made_by(session, actor, wanted.request_key):
                    return made
            raise

    def confirm(self, actor: Actor, payment_id: str, *, ip: str) -> None:
        """The agent has seen the payment that the client reported: from now on it counts as paid.

        Raises NotFound, PermissionDenied or InvalidArgument. Confirmed already: nothing changes.
        """
        with self._database.transaction() as session:
            payment = locked_own(session, actor, payment_id)
            if payment.now.state is PaymentState.PROCESSED and payment.now.is_recorded:
                return
            if isinstance(refused := may_answer(payment.now.state), Refused):
                raise InvalidArgument(refused.why)
            paid_on = payment.now.paid_on or self._today(actor)
            payment.happen(Fact.CONFIRMED, at=_noon(paid_on, actor))
            note_act(
                session,
                payment.now,
                Act.CONFIRMED,
                at=self._clock.now(),
                actor=actor,
                ip=ip,
                effect=payment.now.amount.minor,
            )
            self._tell_recorded(session, payment, was_reported=True)

    def decline(self, actor: Actor, payment_id: str, *, reason: str, ip: str) -> Payment:
        """There is no such payment as the client reported; the client reads why.

        Raises NotFound, PermissionDenied or InvalidArgument. Declined already: nothing changes.
        """
        now = self._clock.now()
        with self._database.transaction() as session:
            payment = locked_own(session, actor, payment_id)
            if payment.now.state is PaymentState.DECLINED:
                return payment.now
            if isinstance(refused := may_answer(payment.now.state), Refused):
                raise InvalidArgument(refused.why)
            payment.happen(Fact.DECLINED, at=now)
            note_act(session, payment.now, Act.DECLINED, at=now, actor=actor, ip=ip, why=reason)
            told = PaymentReportDeclined(context=payment.context, at=stamp(now), reason=reason)
            self._outbox.add(session, told, aggregate_id=payment.id, agency_id=payment.now.agency_id)
            return payment.now

    def reverse(self, actor: Actor, payment_id: str, *, reason: str, ip: str) -> Payment:
        """A processed or recorded payment was a mistake: the record stays, its reversal stands beside it.

        Raises NotFound, PermissionDenied or InvalidArgument. Reversed already: nothing changes.
        """
        now = self._clock.now()
        with self._database.transaction() as session:
            payment = locked_own(session, actor, payment_id)
            if payment.now.state is PaymentState.REVERSED:
                return payment.now
            if isinstance(refused := may_reverse(payment.now.state), Refused):
                raise InvalidArgument(refused.why)
            self._barrier(session, payment.id)
            payment.happen(Fact.REVERSED, at=now)
            note_act(
                session,
                payment.now,
                Act.REVERSED,
                at=now,
                actor=actor,
                ip=ip,
                why=reason,
                effect=-payment.now.amount.minor,
            )
            told = PaymentReversed(context=payment.context, at=stamp(now), reason=reason)
            self._outbox.add(session, told, aggregate_id=payment.id, agency_id=payment.now.agency_id)
            return payment.now

    def why_not_by_word(self, payment_id: str) -> str:
        """Why a word alone doesn't take this payment back, for the page before anybody asks; empty when it does."""
        try:
            with self._database.read() as session:
                self._barrier(session, payment_id)
        except InvalidArgument as error:
            return error.message
        return ""

    def acts_of(self, payment: Payment) -> Sequence[ActDetail]:
        """What was done with a payment that the caller has from a look-up of its own, oldest first."""
        query = (
            select(PaymentActRow)
            .where(PaymentActRow.payment_id == payment.id)
            .order_by(PaymentActRow.at, PaymentActRow.id)
        )
        with self._database.read() as session:
            return [
                ActDetail(
                    act=Act(row.act),
                    who=row.who,
                    why=row.why,
                    effect=Money(minor=row.effect_minor, currency=payment.amount.currency),
                    at=row.at,
                )
                for row in session.scalars(query)
            ]

    def was_recorded(self, request_key: str) -> bool:
        """Whether the form with this key was sent already."""
        query = select(PaymentActRow.id).where(PaymentActRow.request_key == request_key)
        with self._database.read() as session:
            return session.scalars(query).first() is not None

    def _record(self, session: Session, actor: Actor, booking: BookingDetail, wanted: Recorded, ip: str) -> Payment:
        now = self._clock.now()
        context = self._context(session, booking, wanted)
        if problem := day_error(wanted.paid_on, self._today(actor)):
            raise InvalidArgument(problem, field="paid_on")
        new = NewPayment(
            context=context,
            payer_name=f"{context.payer.first_name} {context.payer.last_name}".strip(),
            type=wanted.type,
            due_on=None,
            state=PaymentState.PROCESSED,
            method=wanted.method,
            paid_on=wanted.paid_on,
        )
        payment = open_payment(session, new, at=now)
        payment.made_on(_noon(wanted.paid_on, actor))
        payment.note(confirmation=wanted.reference, words=wanted.note)
        note_act(
            session,
            payment.now,
            Act.RECORDED,
            at=now,
            actor=actor,
            ip=ip,
            effect=payment.now.amount.minor,
            request_key=wanted.request_key,
        )
        self._tell_recorded(session, payment, was_reported=False)
        return payment.now

    def _context(self, session: Session, booking: BookingDetail, wanted: Recorded) -> PaymentContext:
        payer = booking.passenger(wanted.client_id)
        if payer is None:
            raise InvalidArgument("Choose one of the passengers of this booking.", field="client_id")
        if wanted.method is Method.CARD:
            raise InvalidArgument("Choose how it was paid.", field="method")
        if wanted.amount.minor <= 0 or wanted.amount.currency != booking.currency:
            raise InvalidArgument(f"Enter an amount above zero in {booking.currency}.", field="amount")
        segment = booking.segment(wanted.segment_id)
        if segment is None and wanted.type is not PaymentType.SERVICE_FEE:
            raise InvalidArgument("Choose which part of the trip was paid.", field="segment_id")
        house = self._bookings.house(session, booking)
        return PaymentContext(
            booking_id=booking.id,
            booking_title=booking.title,
            agency=house.agency,
            agent=house.agent,
            payer=passenger_snapshot(payer),
            segment=segment_snapshot(segment) if segment is not None else None,
            amount=common_pb2.Money(minor=wanted.amount.minor, currency=wanted.amount.currency),
            type=WIRE_TYPES[wanted.type],
            purpose=_purpose(booking, segment, wanted.type),
            policy=house.policy,
            method=wanted.method.value,
            paid_on=wanted.paid_on.isoformat(),
        )

    def _tell_recorded(self, session: Session, payment: HeldPayment, *, was_reported: bool) -> None:
        told = PaymentRecorded(
            context=payment.context,
            at=stamp(self._clock.now()),
            reference=payment.now.confirmation_number,
            was_reported=was_reported,
        )
        self._outbox.add(session, told, aggregate_id=payment.id, agency_id=payment.now.agency_id)

    def _today(self, actor: Actor) -> date:
        return self._clock.now().astimezone(ZoneInfo(actor.time_zone)).date()


def note_act(
    session: Session,
    payment: Payment,
    act: Act,
    *,
    at: datetime,
    actor: Actor | None,
    ip: str,
    why: str = "",
    effect: int = 0,
    request_key: str | None = None,
) -> None:
    """Writes down beside a payment what was done with it; without an actor it was the client."""
    session.add(
        PaymentActRow(
            id=new_event_id(),
            payment_id=payment.id,
            agency_id=payment.agency_id,
            act=act.value,
            agent_id=actor.agent_id if actor else "",
            who=actor.name if actor else payment.payer_name,
            effect_minor=effect,
            why=why[:500],
            ip=ip[:64],
            at=at,
            request_key=request_key,
        )
    )


def _purpose(booking: BookingDetail, segment: SegmentDetail | None, kind: PaymentType) -> str:
    if kind is PaymentType.SERVICE_FEE or segment is None:
        return booking.service_fee_description or TYPE_WORDS[PaymentType.SERVICE_FEE]
    return segment.data.description or TYPE_WORDS[kind]


def _made_by(session: Session, actor: Actor, request_key: str) -> Payment | None:
    payment_id = session.scalar(select(PaymentActRow.payment_id).where(PaymentActRow.request_key == request_key)) or ""
    payment = payments_by_id(session, [payment_id]).get(payment_id)
    return payment if payment is not None and actor.owns(payment.agent_id) else None


def _noon(day: date, actor: Actor) -> datetime:
    """A moment on that day by the agent's clock: reports count the payment on the day on which it was made."""
    return datetime.combine(day, time(12), ZoneInfo(actor.time_zone))
