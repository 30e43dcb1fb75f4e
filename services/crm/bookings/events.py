"""What the bookings room publishes."""

from datetime import date

from protos.wayvault.events.v1 import events_pb2
from services.crm.bookings.rules import BookingDetail, Passenger, SegmentDetail


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


def booking_saved(booking: BookingDetail) -> events_pb2.BookingSaved:
    return events_pb2.BookingSaved(
        booking_id=booking.id,
        title=booking.title,
        status=booking.status.value,
        agent_id=booking.agent_id,
        segments=[segment_snapshot(segment) for segment in booking.segments],
        passengers=[passenger_snapshot(passenger) for passenger in booking.passengers],
    )


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""
