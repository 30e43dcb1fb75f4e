"""The days on which booked trips begin and end, for the calendar."""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from services.crm.core.day_queries import AnySelect, counted, first_of_each_day
from services.crm.core.days import Asked, DayKind, DayLine, Lines
from services.crm.trips.bookings.models import BookingRow, SegmentRow
from services.crm.trips.bookings.rules import BookingStatus

_GOING: Final = (BookingStatus.BOOKED.value, BookingStatus.TRAVELED.value)
# Who comes back is looked for among those who left so long before at most: the longest world cruises last as long.
_LONGEST_TRIP: Final = timedelta(days=200)


def departures(session: Session, asked: Asked) -> Lines:
    """Booked trips that begin on these days."""
    query = _trips(asked).where(BookingRow.departs_on.between(asked.first, asked.last))
    return _lines(session, query, BookingRow.departs_on, DayKind.DEPARTURE, asked.most)


def returns(session: Session, asked: Asked) -> Lines:
    """Booked trips whose last segment ends on these days; what begins and ends on one day is a departure only."""
    ends_on = (
        select(func.max(SegmentRow.ends_on))
        .where(SegmentRow.booking_id == BookingRow.id, SegmentRow.cancelled_at.is_(None))
        .correlate(BookingRow)
        .scalar_subquery()
    )
    # Worked out once for each trip, and by indexes alone: of all who left before, few come back on these days.
    leaving = (
        select(BookingRow.id, BookingRow.departs_on, ends_on.label("ends_on"))
        .where(*_whose(asked), BookingRow.departs_on.between(asked.first - _LONGEST_TRIP, asked.last))
        .cte("leaving")
        .prefix_with("MATERIALIZED")
    )
    query = (
        _trips(asked)
        .join(leaving, leaving.c.id == BookingRow.id)
        .where(leaving.c.ends_on.between(asked.first, asked.last), leaving.c.ends_on > leaving.c.departs_on)
    )
    return _lines(session, query, leaving.c.ends_on, DayKind.RETURN, asked.most)


def _trips(asked: Asked) -> AnySelect:  # Any: the columns named here
    return (
        select(BookingRow.id, BookingRow.title, BookingRow.agent_id)
        .where(*_whose(asked))
        .order_by(BookingRow.title_folded, BookingRow.id)
    )


def _whose(asked: Asked) -> tuple[ColumnElement[bool], ...]:
    return BookingRow.agent_id.in_(asked.agent_ids), BookingRow.status.in_(_GOING)


def _lines(session: Session, query: AnySelect, day: Any, kind: DayKind, most: int) -> Lines:  # Any: a column of days
    rows = first_of_each_day(session, query, day, most)
    lines = [
        DayLine(on=row.day, kind=kind, thing_id=row.id, title=row.title, detail="", agent_id=row.agent_id)
        for row in rows
    ]
    return Lines(lines=lines, counts=counted(rows))
