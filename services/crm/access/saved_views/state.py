"""What of an address is a list's state. Pure."""

from typing import Final
from urllib.parse import parse_qsl, urlencode

from services.crm.access.saved_views.rules import LISTS, LONGEST_STATE, SavedList

_MOST_PARTS: Final = 20


def state_of(which: SavedList, query: str) -> str:
    """The state in an address, in one order, so that equal views are equal; empty where nothing is chosen, or where it
    is longer than a view may be."""
    if len(query) > 2 * LONGEST_STATE or query.count("&") >= _MOST_PARTS:
        return ""
    given = dict(parse_qsl(query))
    state = urlencode([(part, given[part]) for part in LISTS[which].parts if given.get(part)])
    return state if len(state) <= LONGEST_STATE else ""
