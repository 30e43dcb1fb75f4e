"""Headings of a list that order it: links, so that they work without scripts and with a keyboard, and stay in the
address with filter and search."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar

from flask import request

from services.crm.core.addresses import same_list
from services.crm.core.ordering import Keys, Order, falls

S = TypeVar("S", bound=StrEnum)


class Heading(NamedTuple):
    """A column's heading as `parts.table` shows it. `sorted` is what aria-sort says; empty for a list that is ordered
    by another column."""

    label: str
    css: str
    url: str
    sorted: str


def asked_order(kinds: type[S], usual: Order[S], name: str = "sort") -> Order[S]:
    """The order that the address asks for; what the list doesn't know is its usual one."""
    text = request.args.get(name, "")
    value = text.removeprefix("-")
    return Order(kinds(value), turned=text.startswith("-")) if value in list(kinds) else usual


@dataclass(frozen=True, slots=True)
class Headings(Generic[S]):
    """Headings of a list that is in this order."""

    order: Order[S]
    keys: Keys[S]
    usual: Order[S]
    name: str = "sort"

    def head(self, label: str, by: str, css: str = "") -> Heading:
        """The heading of the column that orders `by`: a press orders by it, one more turns the order round."""
        here = by == self.order.by
        # The template names the column; the enumeration's own member is what is compared and addressed.
        wanted = Order(type(self.order.by)(by), turned=here and not self.order.turned)
        address = "" if wanted == self.usual else wanted.address
        direction = ("descending" if falls(self.order, self.keys) else "ascending") if here else ""
        return Heading(label, css, same_list(**{self.name: address}), direction)

    @property
    def address(self) -> str:
        """What a form has to carry so that its answer is in the same order; empty for the usual one."""
        return "" if self.order == self.usual else self.order.address

    def choices(self, offered: Sequence[tuple[S, str]]) -> list[tuple[str, str, bool]]:
        """A menu of orders: address, words, and whether it is the present one. What was chosen by a heading and is not
        among the offered is one more, so that the next filter keeps it."""
        found = [(Order(by).address, words, self.order == Order(by)) for by, words in offered]
        if any(here for _, _, here in found):
            return found
        return [*found, (self.order.address, "As in the table", True)]
