"""The CRM's booking.saved as the trips room understands it. What is left out or garbled becomes empty, never an error:
a trip with an odd date is still a trip."""

from datetime import date

from chassis.money import Money, MoneyError
from protos.wayvault.common.v1 import common_pb2
from protos.wayvault.events.v1 import events_pb2
from services.portal.trips.rules import Segment, Traveler, Trip, TripStatus

KINDS = ("cruise", "hotel", "tour", "flight", "car", "insurance", "other")


def read_trip(message: events_pb2.BookingSaved) -> Trip:
    """The trip in a snapshot; its segments by begin, those without a date last."""
    segments = [_segment(part) for part in message.segments]
    segments.sort(key=lambda part: part.begins_on or date.max)
    return Trip(
        id=message.booking_id,
        title=message.title,
        status=TripStatus(message.status) if message.status in list(TripStatus) else TripStatus.BOOKED,
        currency=message.currency or "USD",
        version=message.version,
        lead=message.lead_client_id,
        segments=tuple(segments),
        travelers=tuple(
            Traveler(client_id=one.id, name=f"{one.first_name} {one.last_name}".strip(), email=one.email)
            for one in message.passengers
        ),
    )


def wire_segment(message: events_pb2.BookingSaved, segment_id: str) -> events_pb2.Segment:
    """The segment as it came, to be repeated in other events."""
    return next((part for part in message.segments if part.id == segment_id), events_pb2.Segment())


def _segment(part: events_pb2.Segment) -> Segment:
    return Segment(
        id=part.id,
        supplier=part.supplier_name,
        kind=part.kind if part.kind in KINDS else "other",
        confirmation=part.confirmation_number,
        text=part.description,
        begins_on=_day(part.begins_on),
        ends_on=_day(part.ends_on),
        price=_money(part, "price"),
        deposit=_money(part, "deposit"),
        deposit_due_on=_day(part.deposit_due_on),
        final=_money(part, "final"),
        final_due_on=_day(part.final_due_on),
    )


def _money(part: events_pb2.Segment, name: str) -> Money | None:
    if not part.HasField(name):  # type: ignore[arg-type]  # one of the three amounts
        return None
    amount: common_pb2.Money = getattr(part, name)
    try:
        return Money(minor=amount.minor, currency=amount.currency)
    except MoneyError:
        return None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
