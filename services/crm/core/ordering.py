"""In which order a list is: by one of the columns that it names, in that column's usual direction or the other.

Names of people are ordered by `sort_key`, titles by `title_key` (chassis.typed.names), numbers and days by themselves,
and other texts by `AsText`: so the order is the same on either database. Nothing that comes in an address becomes a
column: an order is a member of the list's own enumeration.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, GenerativeSelect
from sqlalchemy.orm import InstrumentedAttribute

S = TypeVar("S", bound=StrEnum)
Q = TypeVar("Q", bound=GenerativeSelect)
# Any: a column of whatever type.
Ordered = ColumnElement[Any] | InstrumentedAttribute[Any]


@dataclass(frozen=True, slots=True)
class Order(Generic[S]):
    """By what a list is ordered. Unless it is turned, in the column's usual direction."""

    by: S
    turned: bool = False

    @property
    def address(self) -> str:
        """As the list's address says it: "due"; and "-due" when it is turned."""
        return f"-{self.by.value}" if self.turned else self.by.value


class Key:
    """What a column's order compares, the first one first; all of it turns together, so that one index serves both
    ways. `falling`: its usual direction is from the highest or latest down. `gaps`: the first may be NULL, which comes
    last either way."""

    __slots__ = ("columns", "falling", "gaps")

    def __init__(self, *columns: Ordered, falling: bool = False, gaps: bool = False) -> None:
        self.columns = columns
        self.falling = falling
        self.gaps = gaps


Keys = Mapping[S, Key]


def falls(order: Order[S], keys: Keys[S]) -> bool:
    """Whether a list in this order begins with the highest or latest."""
    return keys[order.by].falling is not order.turned


def in_order(query: Q, order: Order[S], keys: Keys[S], *last: Ordered) -> Q:
    """The query in this order; `last` decides between equals, so that no row is on two pages or on none."""
    key = keys[order.by]
    falling = falls(order, keys)
    ordered = [column.desc() if falling else column.asc() for column in (*key.columns, *last)]
    if key.gaps:
        ordered[0] = ordered[0].nulls_last()
    return query.order_by(*ordered)
