"""Names of PostgreSQL's segments of changes (WAL), and what follows from them."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

PARTIAL = ".partial"
_SEGMENT = re.compile(r"[0-9A-F]{24}")
_HISTORY = re.compile(r"[0-9A-F]{8}\.history")
# Segments of 16 MB in each of a log's numbers, as initdb makes them.
_IN_A_LOG = 256


def is_whole(name: str) -> bool:
    """Whether a file is a finished segment or a timeline's history; neither changes any more."""
    return bool(_SEGMENT.fullmatch(name) or _HISTORY.fullmatch(name))


def is_partial(name: str) -> bool:
    """Whether it is the segment that is being received."""
    return name.endswith(PARTIAL) and bool(_SEGMENT.fullmatch(name.removesuffix(PARTIAL)))


def missing_after(names: Iterable[str]) -> list[str]:
    """Whole segments after which one is missing, in their order: a restore can't get beyond them."""
    found = sorted(name for name in names if _SEGMENT.fullmatch(name))
    places = [(name[:8], _number(name)) for name in found]
    return [
        found[at]
        for at in range(len(found) - 1)
        if places[at][0] == places[at + 1][0] and places[at + 1][1] != places[at][1] + 1
    ]


def _number(name: str) -> int:
    return int(name[8:16], 16) * _IN_A_LOG + int(name[16:], 16)


def base_for(finished: Mapping[str, datetime], at: datetime) -> str | None:
    """The newest copy of the server that was finished before a moment; None when there is none."""
    return max((name for name, moment in finished.items() if moment < at), default=None)
