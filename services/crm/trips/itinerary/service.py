"""Use cases of the itinerary: what stands on it, as calendar entries and on paper. No amounts but the agency's fee,
unless prices are wished for, and no commissions ever: it is shown at desks."""

from dataclasses import dataclass, replace

from chassis.calendar import Entry, EntryStatus, cancelled
from chassis.db import Database
from chassis.former_days import uid_of
from chassis.itinerary import KIND_WORDS, Leg, Plan, plan
from chassis.paper.itinerary import Itinerary
from chassis.web.formatting import day_range
from services.crm.access.agency.service import AgencyDetail, AgentDetail, Directory
from services.crm.core.actor import Actor
from services.crm.trips.bookings.service import (
    BookingDetail,
    Bookings,
    BookingStatus,
    Due,
    SegmentDetail,
    SegmentKind,
)
from services.crm.trips.documents.service import Documents

__all__ = ["Itineraries", "ItineraryView", "entries_of", "plan_of", "printed"]

_STATUS = {
    BookingStatus.QUOTE: EntryStatus.TENTATIVE,
    BookingStatus.BOOKED: EntryStatus.CONFIRMED,
    BookingStatus.TRAVELED: EntryStatus.CONFIRMED,
    BookingStatus.CANCELLED: EntryStatus.CANCELLED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ItineraryView:
    """A booking with the agency and the agent it speaks for."""

    booking: BookingDetail
    agency: AgencyDetail
    agent: AgentDetail
    # The titles of the documents that every traveler may read.
    documents: tuple[str, ...] = ()

    @property
    def contact(self) -> str:
        """How to reach the agent, else the agency."""
        ways = (self.agent.data.phone or self.agency.data.phone, self.agent.data.email or self.agency.data.email)
        return " · ".join(way for way in ways if way)


class Itineraries:
    """The itinerary room's use cases."""

    def __init__(self, *, database: Database, bookings: Bookings, directory: Directory, documents: Documents) -> None:
        self._database = database
        self._documents = documents
        self._bookings = bookings
        self._directory = directory

    def get(self, actor: Actor, booking_id: str) -> ItineraryView:
        """Raises NotFound for a booking that the actor may not see."""
        with self._database.read() as session:
            booking = self._bookings.load(session, actor, booking_id)
            view = ItineraryView(
                booking=booking,
                agency=self._directory.load_agency(session, booking.agency_id),
                agent=self._directory.load_agent(session, booking.agent_id),
            )
        shared = self._documents.of_booking(actor, booking_id)
        everybodys = [each.title for each in shared if each.withdrawn_at is None and not each.reader_ids]
        return replace(view, documents=tuple(reversed(everybodys)))


def plan_of(booking: BookingDetail, *, with_prices: bool = False) -> Plan:
    """The trip day by day; without what is cancelled."""
    return plan([_leg(segment, with_prices=with_prices) for segment in booking.active_segments])


def _leg(segment: SegmentDetail, *, with_prices: bool) -> Leg:
    data = segment.data
    return Leg(
        id=segment.id,
        kind=data.kind.value,
        supplier=data.supplier_name,
        text=data.description,
        confirmation=data.confirmation_number,
        number=data.number,
        notes=data.notes,
        begins_on=data.begins_on,
        ends_on=data.ends_on,
        starts=data.starts,
        ends=data.ends,
        price=data.price.format() if with_prices and data.price else "",
    )


def fee_words(booking: BookingDetail) -> str:
    """The agency's own fee and what it is for; empty where there is none. It always shows."""
    if booking.service_fee is None:
        return ""
    parts = (booking.service_fee.format(), booking.service_fee_description)
    return ", ".join(part for part in parts if part)


def printed(view: ItineraryView, *, with_prices: bool = False) -> Itinerary:
    """What stands on the paper."""
    booking = view.booking
    return Itinerary(
        head=view.agency.letterhead,
        title=booking.title,
        dates=day_range(booking.begins_on, booking.ends_on) if booking.begins_on and booking.ends_on else "",
        travelers=tuple(passenger.name for passenger in booking.passengers),
        advisor=" · ".join(part for part in (view.agent.name, view.contact) if part),
        plan=plan_of(booking, with_prices=with_prices),
        cancelled=booking.status is BookingStatus.CANCELLED,
        fee=fee_words(booking),
        total=booking.total.format() if with_prices else "",
        documents=view.documents,
        changed_at=booking.updated_at,
    )


def entries_of(view: ItineraryView) -> list[Entry]:
    """The booking's days, and the days by which something is to be paid. The portal's file of the same trip has the
    same ids, so that a calendar fed by both has each entry once. What was removed is there once more, cancelled."""
    found = []
    for segment in view.booking.segments:
        if segment.data.begins_on is not None:
            found.append(_stay(view, segment))
        found += [_due(view, due) for due in segment.dues if due.due_on is not None]
    return found + cancelled(view.booking.former_days, sequence=view.booking.version)


def _stay(view: ItineraryView, segment: SegmentDetail) -> Entry:
    data = segment.data
    assert data.begins_on is not None
    leg = _leg(segment, with_prices=False)
    number = f"Confirmation {data.confirmation_number}" if data.confirmation_number else ""
    names = ", ".join(passenger.name for passenger in view.booking.passengers)
    return Entry(
        uid=uid_of(segment.id),
        sequence=view.booking.version,
        begins_on=data.begins_on,
        ends_on=data.ends_on or data.begins_on,
        moments=leg.moments,
        place=data.starts.where,
        title=f"{KIND_WORDS[data.kind]}: {data.supplier_name}",
        text="\n".join(line for line in (view.booking.title, *leg.lines, names, data.description, number) if line),
        status=EntryStatus.CANCELLED if segment.is_cancelled else _STATUS[view.booking.status],
        # Insurance runs along; it keeps nobody busy.
        busy=data.kind is not SegmentKind.INSURANCE,
    )


def _due(view: ItineraryView, due: Due) -> Entry:
    assert due.due_on is not None
    title = f"{due.words} to {due.segment.data.supplier_name}: {due.amount.format()}"
    return Entry(
        uid=uid_of(due.id),
        sequence=view.booking.version,
        begins_on=due.due_on,
        ends_on=due.due_on,
        title=title.replace("\u00a0", " "),
        text=view.booking.title,
        status=_STATUS[view.booking.status],
        busy=False,
    )
