"""The CRM's booking.saved as the trips room understands it. What is left out or garbled becomes empty, never an error:
a trip with an odd date is still a trip."""

from datetime import date
from zoneinfo import available_timezones

from chassis.itinerary import Point
from chassis.money import Money, MoneyError
from chassis.typed.days import day_from
from chassis.typed.times import time_from
from protos.wayvault.common.v1 import common_pb2
from protos.wayvault.events.v1 import events_pb2
from services.portal.trips.rules import FEE_ID, PayType, Scheduled, Segment, Traveler, Trip, TripStatus

KINDS = ("cruise", "hotel", "tour", "flight", "car", "insurance", "other")
_TYPES = {"deposit": PayType.DEPOSIT, "final": PayType.FINAL}


def _in_time(part: Segment) -> tuple[date, bool]:
    """By begin; what arrives the day before it left (the date line) comes before what begins where it arrives."""
    if part.begins_on is None:
        return date.max, True
    if part.ends_on is not None and part.ends_on < part.begins_on:
        return part.ends_on, False
    return part.begins_on, True


def read_trip(message: events_pb2.BookingSaved) -> Trip:
    """The trip in a snapshot; its segments by begin, those without a date last."""
    segments = [_segment(part) for part in message.segments]
    segments.sort(key=_in_time)
    return Trip(
        id=message.booking_id,
        title=message.title,
        status=TripStatus(message.status) if message.status in list(TripStatus) else TripStatus.BOOKED,
        currency=message.currency or "USD",
        version=message.version,
        lead=message.lead_client_id,
        segments=tuple(segments),
        fee=_fee(message),
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
        begins_on=day_from(part.begins_on),
        ends_on=day_from(part.ends_on),
        price=_money(part, "price"),
        scheduled=_scheduled(part),
        cancelled=part.cancelled,
        penalty=_money(part, "penalty"),
        refund_due=_money(part, "refund_due"),
        number=part.number,
        notes=part.notes,
        starts=_point(part.starts),
        ends=_point(part.ends),
    )


def _point(point: events_pb2.Point) -> Point:
    return Point(
        place=point.place,
        terminal=point.terminal,
        at=time_from(point.at),
        zone=point.zone if point.zone in available_timezones() else "",
    )


def _scheduled(part: events_pb2.Segment) -> tuple[Scheduled, ...]:
    """The due amounts; from a CRM of before, its deposit and final payment."""
    if part.instalments:
        return tuple(
            Scheduled(
                id=each.id, type=_TYPES.get(each.kind, PayType.REGULAR), amount=amount, due_on=day_from(each.due_on)
            )
            for each in part.instalments
            if (amount := _money(each, "amount")) is not None
        )
    told = (
        (PayType.DEPOSIT, _money(part, "deposit"), part.deposit_due_on),
        (PayType.FINAL, _money(part, "final"), part.final_due_on),
    )
    return tuple(
        Scheduled(id=f"{part.id}-{kind.value}", type=kind, amount=amount, due_on=day_from(day))
        for kind, amount, day in told
        if amount is not None
    )


def _fee(message: events_pb2.BookingSaved) -> Segment | None:
    amount = _money(message, "service_fee")
    if amount is None or amount.minor <= 0:
        return None
    return Segment(
        id=FEE_ID,
        supplier="",
        kind="other",
        confirmation="",
        text=message.service_fee_description or "Service fee",
        begins_on=None,
        ends_on=None,
        price=amount,
    )


def _money(part: events_pb2.Segment | events_pb2.Instalment | events_pb2.BookingSaved, name: str) -> Money | None:
    if not part.HasField(name):  # type: ignore[arg-type]  # one of its amounts
        return None
    amount: common_pb2.Money = getattr(part, name)
    try:
        return Money(minor=amount.minor, currency=amount.currency)
    except MoneyError:
        return None
