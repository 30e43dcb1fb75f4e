"""Pages of a list, whose state stays in the address."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

T = TypeVar("T")
PAGE_SIZE = 50
# Lists are counted and turned this far. Who looks for something beyond narrows the filter: that is quicker for them,
# and for the database.
COUNTED = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """One page of `total` items. `number` counts from 1."""

    items: Sequence[T]
    total: int
    number: int
    size: int = PAGE_SIZE

    @property
    def is_counted(self) -> bool:
        """False when there are more than `total` items."""
        return self.total <= COUNTED

    def count_words(self, singular: str, several: str = "") -> str:
        """ "1 client", "230 clients", "more than 2,000 clients"."""
        words = singular if self.total == 1 else several or f"{singular}s"
        return f"{self.total:,} {words}" if self.is_counted else f"more than {COUNTED:,} {words}"

    @property
    def last(self) -> int:
        return max(1, -(-min(self.total, COUNTED) // self.size))


def offset(number: int, size: int = PAGE_SIZE) -> int:
    """Where page `number` begins; never beyond what is counted."""
    return (min(max(1, number), COUNTED // size) - 1) * size


def bounded_count(session: Session, query: Select[Any]) -> int:
    """How many rows a query finds; COUNTED + 1 stands for more."""
    return session.scalar(select(func.count()).select_from(query.limit(COUNTED + 1).subquery())) or 0
