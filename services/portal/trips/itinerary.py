"""A trip day by day, for the client's page, a shared link and paper."""

from chassis.itinerary import Leg, Plan, plan
from chassis.money import Money
from chassis.paper.itinerary import Itinerary
from chassis.web.formatting import day_range
from services.portal.trips.rules import Segment, Trip, TripStatus
from services.portal.trips.service import TripView


def plan_of(trip: Trip, *, with_prices: bool = False) -> Plan:
    """The trip day by day; without what is cancelled."""
    return plan([leg_of(part, with_prices=with_prices) for part in trip.segments if not part.cancelled])


def leg_of(segment: Segment, *, with_prices: bool = False) -> Leg:
    """A part of the trip as the plan has it."""
    return Leg(
        id=segment.id,
        kind=segment.kind,
        supplier=segment.supplier,
        text=segment.text,
        confirmation=segment.confirmation,
        number=segment.number,
        notes=segment.notes,
        begins_on=segment.begins_on,
        ends_on=segment.ends_on,
        starts=segment.starts,
        ends=segment.ends,
        price=segment.price.format() if with_prices and segment.price else "",
    )


def fee_words(trip: Trip) -> str:
    """The agency's own fee and what it is for; empty where there is none."""
    fee = trip.fee
    return f"{fee.price.format()}, {fee.text}" if fee is not None and fee.price is not None else ""


def total_words(trip: Trip) -> str:
    """What the whole trip costs, its fee included."""
    parts = trip.segments if trip.fee is None else (*trip.segments, trip.fee)
    known = [part.total for part in parts if part.total is not None]
    return sum(known, start=Money(minor=0, currency=trip.currency)).format()


def printed(view: TripView, *, documents: tuple[str, ...] = (), with_prices: bool = False) -> Itinerary:
    """What stands on the client's paper. Without prices no amount but the fee: it may be shown at a desk."""
    agent, trip = view.agent, view.trip
    return Itinerary(
        head=agent.letterhead,
        title=trip.title,
        dates=day_range(trip.begins_on, trip.ends_on) if trip.begins_on and trip.ends_on else "",
        travelers=tuple(person.name for person in trip.travelers),
        advisor=" · ".join(part for part in (agent.name, agent.contact_phone, agent.contact_email) if part),
        plan=plan_of(trip, with_prices=with_prices),
        cancelled=trip.status is TripStatus.CANCELLED,
        fee=fee_words(trip),
        total=total_words(trip) if with_prices else "",
        documents=documents,
        changed_at=view.saved_at,
    )
