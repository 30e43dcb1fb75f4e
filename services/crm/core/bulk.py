"""One thing done with several rows of a list: which rows were ticked, that it is meant, and what became of each.

Each row goes through the use case that its own button calls, in a transaction of its own: a row that is refused hinders
no other, and whoever did it reads which one it was and why.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar
from urllib.parse import parse_qsl, urlencode

from flask import request, url_for

from chassis.errors import WayvaultError
from services.crm.core.paging import PAGE_SIZE

T = TypeVar("T")
R = TypeVar("R")
# A page's worth: more can't be ticked.
MOST_AT_ONCE: Final = PAGE_SIZE
_PICK: Final = re.compile(r"[a-z]{2,20}_[a-z2-7]{26}(?::[0-9]{1,9})?")
_LONGEST_STATE: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Told(Generic[R]):
    """What became of one row: the result, or why it was refused."""

    words: str
    result: R | None = None
    problem: str = ""


def for_each(rows: Iterable[T], words: Callable[[T], str], act: Callable[[T], R]) -> list[Told[R]]:
    """Does it with each."""
    told: list[Told[R]] = []
    for row in rows:
        try:
            told.append(Told(words=words(row), result=act(row)))
        except WayvaultError as error:
            told.append(Told(words=words(row), problem=error.message))
    return told


def picked() -> list[str]:
    """The rows that were ticked: ids, with the version that the list showed where it is part of them."""
    given = (text for text in request.values.getlist("pick") if _PICK.fullmatch(text))
    return list(dict.fromkeys(given))[:MOST_AT_ONCE]


def is_sure() -> bool:
    """Whether the page that names what will happen was answered."""
    return request.form.get("sure") == "yes"


def all_ticked() -> bool:
    """Whether the page is to come with every row ticked, as the link does where no script runs."""
    return request.args.get("ticked") == "all"


def list_state() -> str:
    """The list's state as its form carries it."""
    return _without_ticks(request.query_string.decode("ascii", "ignore"))


def carried_state() -> str:
    """The state that a form carried."""
    return _without_ticks(request.form.get("list", ""))


def back_to_list(endpoint: str) -> str:
    """The list's address as it was when its form was sent."""
    state = carried_state()
    return f"{url_for(endpoint)}?{state}" if state else url_for(endpoint)


def _without_ticks(query: str) -> str:
    pairs = parse_qsl(query[:_LONGEST_STATE], max_num_fields=20) if query.count("&") < 20 else []
    return urlencode([(key, value) for key, value in pairs if key not in ("ticked", "pick")])
