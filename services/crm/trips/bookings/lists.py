"""Which bookings a list shows, and in which order: its filter as a query."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import ColumnElement, Row, Select, select, union_all
from sqlalchemy.orm import Session, raiseload

from services.crm.core.actor import Actor
from services.crm.core.ordering import Key, Keys, Order, in_order
from services.crm.core.search import WordIndex
from services.crm.core.visibility import visible_to
from services.crm.trips.bookings.mapping import booking_line
from services.crm.trips.bookings.models import BookingRow, BookingWordRow, InstalmentRow, PassengerRow
from services.crm.trips.bookings.rows import BOOKINGS, WITH_PASSENGERS, ids_of_client
from services.crm.trips.bookings.rules import BookingDetail, BookingLine, BookingStatus, Due

_WORDS = WordIndex(
    agency_id=BookingWordRow.agency_id,
    agent_id=BookingWordRow.agent_id,
    word=BookingWordRow.word,
    owner_id=BookingWordRow.booking_id,
    thing_id=BookingRow.id,
    thing_text=BookingRow.search_text,
)

# How many dues are read, oldest first, to find those that are still to be paid.
_DUES_READ = 900
# Of how many the payments room is asked first whether they were paid; of all others only if too many of them were.
_DUES_ASKED = 150
# How many of each stand on an agent's first page.
_ON_DESK = 12


class BookingSort(StrEnum):
    """What a list of bookings can be ordered by."""

    CHANGED = "changed"
    DEPARTURE = "departure"
    TITLE = "title"
    STATUS = "status"


BY_CHANGE = Order(BookingSort.CHANGED)
BOOKING_KEYS: Keys[BookingSort] = {
    BookingSort.CHANGED: Key(BookingRow.updated_at, falling=True),
    BookingSort.DEPARTURE: Key(BookingRow.departs_on),
    BookingSort.TITLE: Key(BookingRow.title_folded),
    BookingSort.STATUS: Key(BookingRow.status, BookingRow.departs_on),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingFilter:
    """What a list of bookings shows. `text` finds titles, suppliers, confirmation numbers and passengers."""

    text: str = ""
    status: BookingStatus | None = None
    client_id: str = ""
    # Those that any of these are on, where any are named.
    client_ids: tuple[str, ...] = ()
    order: Order[BookingSort] = BY_CHANGE


def conditions(session: Session, actor: Actor, wanted: BookingFilter) -> list[ColumnElement[bool]]:
    sought = _WORDS.sought(session, actor, wanted.text)
    seen = visible_to(actor, sought.beside(BookingRow.agency_id), sought.beside(BookingRow.agent_id))
    conditions = [*sought.conditions, seen]
    if wanted.status:
        conditions.append(BookingRow.status == wanted.status.value)
    if wanted.client_id:
        conditions.append(BookingRow.id.in_(ids_of_client(session, wanted.client_id)))
    if wanted.client_ids:
        on = select(PassengerRow.booking_id).where(PassengerRow.client_id.in_(wanted.client_ids))
        conditions.append(BookingRow.id.in_(on))
    return conditions


def _dues(actor: Actor, first: date, last: date) -> Select[str, str, str, date | None, int]:
    """What is due on the actor's open trips between two days, and how much must be paid on its segment by then."""
    due = InstalmentRow
    return (
        select(due.id, due.segment_id, due.booking_id, due.due_on, due.until_then_minor.label("until_then"))
        .join(BookingRow, BookingRow.id == due.booking_id)
        .where(
            BookingRow.agent_id == actor.agent_id,
            BookingRow.status.in_((BookingStatus.QUOTE.value, BookingStatus.BOOKED.value)),
            due.active.is_(True),
            due.due_on.between(first, last),
        )
        .order_by(due.due_on, due.booking_id, due.segment_id, due.position)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """How far ahead an agent's first page looks: for what is due, and for who leaves."""

    today: date
    due_by: date
    gone_by: date


def _departing(actor: Actor, days: Horizon) -> Select[str]:
    """The actor's own booked trips that begin soon, soonest first."""
    return (
        select(BookingRow.id)
        .where(
            BookingRow.agent_id == actor.agent_id,
            BookingRow.status == BookingStatus.BOOKED.value,
            BookingRow.departs_on.between(days.today, days.gone_by),
        )
        .order_by(BookingRow.departs_on, BookingRow.id)
    )


def _is_departing(row: BookingRow, days: Horizon) -> bool:
    """The same for a row of the actor's."""
    return row.status == BookingStatus.BOOKED and days.today <= row.departs_on <= days.gone_by


def ordered(query: Select[BookingRow], order: Order[BookingSort]) -> Select[BookingRow]:
    return in_order(query, order, BOOKING_KEYS, BookingRow.id)


def still_open_dues(
    session: Session,
    actor: Actor,
    first: date,
    last: date,
    *,
    paid: Callable[[Collection[str]], Mapping[str, int]],
    limit: int,
) -> Sequence[Row[str, str, str, date | None, int]]:
    """The first few of these that `paid` doesn't cover: how much was processed for each segment, in minor units."""
    found = session.execute(_dues(actor, first, last).limit(_DUES_READ)).all()
    still_open: list[Row[str, str, str, date | None, int]] = []
    for asked in (found[:_DUES_ASKED], found[_DUES_ASKED:]):
        if asked and len(still_open) < limit:
            processed = paid({row.segment_id for row in asked})
            still_open += [row for row in asked if processed.get(row.segment_id, 0) < row.until_then]
    return still_open[:limit]


def dues_of(
    rows: Iterable[Row[str, str, str, date | None, int]], bookings: Iterable[BookingDetail]
) -> list[tuple[BookingDetail, Due]]:
    """What the rows say, with the bookings that have it."""
    items = {item.id: (booking, item) for booking in bookings for segment in booking.segments for item in segment.dues}
    return [items[row.id] for row in rows if row.id in items]


def on_desk(
    session: Session,
    actor: Actor,
    days: Horizon,
    paid: Callable[[Collection[str]], Mapping[str, int]],
    details_of: Callable[[Sequence[BookingRow]], Sequence[BookingDetail]],
) -> tuple[list[tuple[BookingDetail, Due]], list[BookingDetail]]:
    """What is due soon, and who leaves soon; the bookings of both are read together."""
    still_open = still_open_dues(session, actor, date.min, days.due_by, paid=paid, limit=_ON_DESK)
    leaving = _departing(actor, days).limit(_ON_DESK).subquery()
    due = select(BookingRow.id).where(BookingRow.id.in_({row.booking_id for row in still_open}))
    query = WITH_PASSENGERS.where(BookingRow.id.in_(union_all(select(leaving.c.id), due)))
    rows = session.scalars(query).unique().all()
    details = details_of(rows)
    begins = {row.id: row.departs_on for row in rows if _is_departing(row, days)}
    first_out = sorted((each for each in details if each.id in begins), key=lambda each: (begins[each.id], each.id))
    return dues_of(still_open, details), first_out[:_ON_DESK]


def lines_of_client(session: Session, actor: Actor, client_id: str, limit: int) -> tuple[list[BookingLine], bool]:
    """The bookings that a client is on, by departure; and whether there are more than the limit."""
    wanted = conditions(session, actor, BookingFilter(client_id=client_id))
    query = ordered(BOOKINGS.options(raiseload(BookingRow.passengers)).where(*wanted), Order(BookingSort.DEPARTURE))
    rows = session.scalars(query.limit(limit + 1)).all()
    return [booking_line(row) for row in rows[:limit]], len(rows) > limit
