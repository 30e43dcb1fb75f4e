"""What the bookings room publishes, and what it does on events."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from chassis.money import Money
from protos.wayvault.common.v1 import common_pb2
from protos.wayvault.events.v1 import events_pb2
from services.crm.trips.bookings.rules import BookingDetail, Passenger, SegmentDetail


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Who stands behind a booking, as events carry it."""

    agency: events_pb2.Agency
    agent: events_pb2.Agent
    policy: events_pb2.Policy


# The card authorization for payments that clients start in the portal: text with tags, and its version.
SelfServiceTerms = Callable[[House], tuple[str, str]]


def segment_snapshot(segment: SegmentDetail) -> events_pb2.Segment:
    """The segment as events carry one."""
    data = segment.data
    return events_pb2.Segment(
        id=segment.id,
        supplier_name=data.supplier_name,
        kind=data.kind.value,
        confirmation_number=data.confirmation_number,
        begins_on=_iso(data.begins_on),
        ends_on=_iso(data.ends_on),
        description=data.description,
        price=_money(data.price),
        deposit=_money(data.deposit),
        deposit_due_on=_iso(data.deposit_due_on),
        final=_money(data.final),
        final_due_on=_iso(data.final_due_on),
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


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


def _money(amount: Money | None) -> common_pb2.Money | None:
    return None if amount is None else common_pb2.Money(minor=amount.minor, currency=amount.currency)


def register(handlers: EventHandlers, note_name: Callable[[Session, str], None]) -> None:
    """Adds this room's handlers. `note_name` lets a client's bookings be found by her present name: after the change of
    her profile and apart from it, since a profile's transaction may not wait for bookings (see the merging room)."""

    def on_client_saved(session: Session, message: events_pb2.ClientSaved, _: EventMeta) -> None:
        note_name(session, message.client.id)

    handlers.on(events_pb2.ClientSaved, on_client_saved)
