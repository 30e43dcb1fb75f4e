"""What happens on which day, of every room that knows of something: the lines of a calendar."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

# Any: whatever columns a room has.
AnySelect = Select[*tuple[Any, ...]]


class DayKind(StrEnum):
    """What a line of a calendar is about, in the order in which a day shows them."""

    DEPARTURE = "departure"
    RETURN = "return"
    DUE = "due"
    LAPSE = "lapse"
    TASK = "task"
    BIRTHDAY = "birthday"


@dataclass(frozen=True, slots=True, kw_only=True)
class DayLine:
    """A line of a calendar. `thing_id` is the booking's, payment's, task's or client's."""

    on: date
    kind: DayKind
    thing_id: str
    title: str
    detail: str
    agent_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The first few lines of each day, and how many there are on each."""

    lines: Sequence[DayLine]
    counts: Mapping[date, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a calendar shows: the days, both included, and whose. Agents are named, so that each room's index by agent
    serves admins too; no more than `most` lines of a kind are wanted of a day."""

    first: date
    last: date
    agent_ids: tuple[str, ...]
    most: int
    # By whose clock moments are days.
    zone: ZoneInfo


class Source(Protocol):
    """A room that knows of days."""

    def __call__(self, session: Session, asked: Asked) -> Lines: ...


def first_of_each_day(
    session: Session, query: AnySelect, day: ColumnElement[Any] | InstrumentedAttribute[Any], most: int
) -> Sequence[Any]:  # Any: the query's own columns
    """A query's rows with `day` and `times` (how many the day has) beside them: of each day the first `most`, by the
    order of the query."""
    by = list(query._order_by_clauses)
    numbered = (
        query.order_by(None)
        .add_columns(
            day.label("day"),
            func.count().over(partition_by=day).label("times"),
            func.row_number().over(partition_by=day, order_by=by).label("place"),
        )
        .subquery()
    )
    found = select(numbered).where(numbered.c.place <= most).order_by(numbered.c.day, numbered.c.place)
    return session.execute(found).all()


def counted(rows: Iterable[Any]) -> dict[date, int]:  # Any: rows of first_of_each_day
    """How many each day has."""
    return {row.day: row.times for row in rows}
