"""Which lists have saved views, and which parts of an address are the state of each. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

LONGEST_NAME: Final = 60
LONGEST_STATE: Final = 500


class SavedList(StrEnum):
    """The lists that have views."""

    CLIENTS = "clients"
    BOOKINGS = "bookings"
    PAYMENTS = "payments"
    LINKS = "links"
    TASKS = "tasks"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage:
    """A list's page: its endpoint, what it is called, and the parts of its address that are its state."""

    endpoint: str
    words: str
    parts: tuple[str, ...]


LISTS: Final[Mapping[SavedList, ListPage]] = {
    SavedList.CLIENTS: ListPage(
        endpoint="clients.index", words="Clients", parts=("q", "country", "without_email", "sort")
    ),
    SavedList.BOOKINGS: ListPage(endpoint="bookings.index", words="Bookings", parts=("q", "status", "sort")),
    SavedList.PAYMENTS: ListPage(endpoint="payments.report", words="Payment report", parts=("q", "shown", "sort")),
    SavedList.LINKS: ListPage(endpoint="link_overview.index", words="Links", parts=("show", "sort")),
    SavedList.TASKS: ListPage(endpoint="tasks.index", words="Tasks", parts=("q", "state", "sort")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedView:
    """A view as pages see one. `state` stands in an address after the question mark."""

    id: str
    of: SavedList
    name: str
    state: str
