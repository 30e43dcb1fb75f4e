"""How a room reads what it knows of days: of each the first few, and how many there are."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from services.crm.core.days import Asked, Lines

# Any: whatever columns a room has.
AnySelect = Select[*tuple[Any, ...]]


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
