"""Pages of a list, whose state stays in the address."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
PAGE_SIZE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """One page of `total` items. `number` counts from 1."""

    items: Sequence[T]
    total: int
    number: int
    size: int = PAGE_SIZE

    @property
    def last(self) -> int:
        return max(1, -(-self.total // self.size))

    @property
    def first_shown(self) -> int:
        return (self.number - 1) * self.size + 1 if self.items else 0

    @property
    def last_shown(self) -> int:
        return (self.number - 1) * self.size + len(self.items)


def offset(number: int, size: int = PAGE_SIZE) -> int:
    """Where page `number` begins."""
    return (max(1, number) - 1) * size
