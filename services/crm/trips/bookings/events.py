"""What the bookings room publishes, and what it does on events."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from chassis.itinerary import Point
from chassis.money import Money
from protos.wayvault.common.v1 import common_pb2
from protos.wayvault.events.v1 import events_pb2
from services.crm.trips.bookings.rules import BookingDetail, DueKind, Passenger, SegmentDetail


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Who stands behind a booking, as events carry it."""

    agency: events_pb2.Agency
    agent: events_pb2.Agent
    policy: events_pb2.Policy


# The card authorization for payments that clients start in the portal: text with tags, and its version.
SelfServiceTerms = Callable[[House], tuple[str, str]]


def segment_snapshot(segment: SegmentDetail) -> events_pb2.Segment:
    """The segment as events carry one. Deposit and final payment sum the schedule up for readers of before: nothing of
    it is due once it is cancelled."""
    data, dues, cancelled = segment.data, segment.dues, segment.cancellation
    deposit = next((due for due in dues if due.kind is DueKind.DEPOSIT), None)
    rest = [due for due in dues if due.kind is not DueKind.DEPOSIT]
    final = sum((due.amount for due in rest[1:]), start=rest[0].amount) if rest else None
    last_day = max((due.due_on for due in rest if due.due_on), default=None)
    return events_pb2.Segment(
        id=segment.id,
        supplier_name=data.supplier_name,
        kind=data.kind.value,
        confirmation_number=data.confirmation_number,
        begins_on=_iso(data.begins_on),
        ends_on=_iso(data.ends_on),
        description=data.description,
        price=_money(segment.price),
        deposit=_money(deposit.amount if deposit else None),
        deposit_due_on=_iso(deposit.due_on if deposit else None),
        final=_money(final),
        final_due_on=_iso(last_day),
        instalments=[
            events_pb2.Instalment(id=due.id, kind=due.kind.value, amount=_money(due.amount), due_on=_iso(due.due_on))
            for due in dues
        ],
        cancelled=segment.is_cancelled,
        penalty=_money(cancelled.penalty) if cancelled else None,
        refund_due=_money(cancelled.refund_due) if cancelled else None,
        starts=_point(data.starts),
        ends=_point(data.ends),
        number=data.number,
        notes=data.notes,
    )


def passenger_snapshot(passenger: Passenger) -> events_pb2.Client:
    """The passenger as events carry a client."""
    return events_pb2.Client(
        id=passenger.client_id,
        first_name=passenger.first_name,
        last_name=passenger.last_name,
        email=passenger.email,
        phone=passenger.phone,
    )


def booking_saved(booking: BookingDetail, house: House, terms: SelfServiceTerms) -> events_pb2.BookingSaved:
    """The whole booking as portal and notifier know it. Notes and commissions stay in the CRM."""
    text, version = terms(house)
    return events_pb2.BookingSaved(
        booking_id=booking.id,
        title=booking.title,
        status=booking.status.value,
        agent_id=booking.agent_id,
        segments=[segment_snapshot(segment) for segment in booking.segments],
        passengers=[passenger_snapshot(passenger) for passenger in booking.passengers],
        agent=house.agent,
        agency=house.agency,
        currency=booking.currency,
        lead_client_id=booking.lead.client_id if booking.lead else "",
        policy=house.policy,
        terms_template=text,
        terms_version=version,
        version=booking.version,
        service_fee=_money(booking.service_fee),
        service_fee_description=booking.service_fee_description if booking.service_fee else "",
    )


def _point(point: Point) -> events_pb2.Point:
    at = point.at.strftime("%H:%M") if point.at else ""
    return events_pb2.Point(place=point.place, terminal=point.terminal, at=at, zone=point.zone)


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


def _money(amount: Money | None) -> common_pb2.Money | None:
    return None if amount is None else common_pb2.Money(minor=amount.minor, currency=amount.currency)


def register(handlers: EventHandlers, note_name: Callable[[Session, str], None]) -> None:
    """Adds this room's handlers. `note_name` lets a client's bookings be found by their present name: after
    the change of their profile and apart from it, since a profile's transaction may not wait for bookings (see the
    merging room)."""

    def on_client_saved(session: Session, message: events_pb2.ClientSaved, _: EventMeta) -> None:
        note_name(session, message.client.id)

    handlers.on(events_pb2.ClientSaved, on_client_saved)
