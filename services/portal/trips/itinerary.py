"""A trip as the printed itinerary wants it."""

from chassis.paper.itinerary import Itinerary, Stop
from chassis.web.formatting import day, day_range
from services.portal.trips.calendar import KIND_WORDS
from services.portal.trips.rules import Segment, TripStatus
from services.portal.trips.service import TripView


def printed(view: TripView) -> Itinerary:
    """What stands on the client's paper. No amounts but the agency's own fee: it may be shown at a desk."""
    agent, trip = view.agent, view.trip
    return Itinerary(
        head=agent.letterhead,
        title=trip.title,
        dates=day_range(trip.begins_on, trip.ends_on) if trip.begins_on and trip.ends_on else "",
        travelers=tuple(person.name for person in trip.travelers),
        advisor=" · ".join(part for part in (agent.name, agent.contact_phone, agent.contact_email) if part),
        stops=tuple(_stop(segment) for segment in trip.segments if not segment.cancelled),
        cancelled=trip.status is TripStatus.CANCELLED,
        fee=_fee(trip.fee),
        changed_at=view.saved_at,
    )


def _fee(fee: Segment | None) -> str:
    return f"{fee.price.format()}, {fee.text}" if fee is not None and fee.price is not None else ""


def _stop(segment: Segment) -> Stop:
    dates = ""
    if segment.begins_on is not None:
        dates = day_range(segment.begins_on, segment.ends_on) if segment.ends_on else day(segment.begins_on)
    return Stop(
        kind=KIND_WORDS[segment.kind],
        supplier=segment.supplier,
        dates=dates,
        text=segment.text,
        confirmation=segment.confirmation,
    )
