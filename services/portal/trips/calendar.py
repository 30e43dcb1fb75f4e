"""A trip as calendar entries (P9): its parts, and the days by which something is to be paid."""

from chassis.calendar import Entry, EntryStatus, cancelled
from chassis.former_days import of_parts, uid_of
from chassis.itinerary import KIND_WORDS
from services.portal.trips.itinerary import leg_of
from services.portal.trips.rules import Due, PayType, TripStatus
from services.portal.trips.service import Part, TripView

_STATUS = {
    TripStatus.QUOTE: EntryStatus.TENTATIVE,
    TripStatus.BOOKED: EntryStatus.CONFIRMED,
    TripStatus.TRAVELED: EntryStatus.CONFIRMED,
    TripStatus.CANCELLED: EntryStatus.CANCELLED,
}
DUE_WORDS = {
    PayType.DEPOSIT: "Deposit",
    PayType.REGULAR: "Instalment",
    PayType.FINAL: "Final payment",
    PayType.SERVICE_FEE: "Service fee",
}


def entries_of(view: TripView) -> list[Entry]:
    """The entries; parts and dues without a day have none. Their ids are the CRM's, so that the agent's file of the
    same trip brings the same entries. What was removed is there once more, cancelled."""
    found = _stays(view)
    for part in view.parts:
        found += [_due(view, part, due) for due in part.schedule if due.due_on is not None]
    return found + cancelled(view.former_days, sequence=view.trip.version)


def stays_of(view: TripView) -> list[Entry]:
    """The parts of the trip alone, without what is to be paid; what was removed once more, cancelled."""
    gone = cancelled(of_parts(view.former_days), sequence=view.trip.version)
    return _stays(view) + gone


def _stays(view: TripView) -> list[Entry]:
    return [_stay(view, part) for part in view.parts if part.segment.begins_on is not None]


def _stay(view: TripView, part: Part) -> Entry:
    segment = part.segment
    assert segment.begins_on is not None
    leg = leg_of(segment)
    lines = [
        *leg.lines,
        segment.text,
        f"Confirmation {segment.confirmation}" if segment.confirmation else "",
        _contact(view),
    ]
    return Entry(
        uid=uid_of(segment.id),
        sequence=view.trip.version,
        begins_on=segment.begins_on,
        ends_on=segment.ends_on or segment.begins_on,
        moments=leg.moments,
        place=segment.starts.where,
        title=f"{KIND_WORDS[segment.kind]}: {segment.supplier}",
        text="\n".join(line for line in (view.trip.title, *lines) if line),
        status=EntryStatus.CANCELLED if segment.cancelled else _STATUS[view.trip.status],
        # Insurance runs along; it keeps nobody busy.
        busy=segment.kind != "insurance",
    )


def _due(view: TripView, part: Part, due: Due) -> Entry:
    assert due.due_on is not None
    words = DUE_WORDS[due.type]
    title = f"{words} to {part.segment.supplier}: " + ("paid" if due.open.minor == 0 else f"{due.open.format()} due")
    return Entry(
        uid=uid_of(due.id),
        sequence=view.trip.version,
        begins_on=due.due_on,
        ends_on=due.due_on,
        title=title.replace("\u00a0", " "),
        text=f"{view.trip.title}\n{_contact(view)}",
        status=_STATUS[view.trip.status],
        busy=False,
    )


def _contact(view: TripView) -> str:
    reach = " or ".join(part for part in (view.agent.contact_phone, view.agent.contact_email) if part)
    return f"Questions? {view.agent.name}, {view.agent.agency_name}" + (f": {reach}" if reach else "")
