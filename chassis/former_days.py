"""Days of a trip that are no more: a calendar must be told once more, or it shows them forever (RFC 5546, 3.2.5).

A calendar keeps what a file brought before. So a part that was removed, or a due date that was taken away, stays
known by its UID and goes out as cancelled.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

# The newest are kept; nobody removes more of one trip.
_MOST: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarDay:
    """An entry of a trip's calendar file: its UID, its days (both included), what it was called."""

    uid: str
    begins_on: date
    ends_on: date
    title: str


def uid_of(entry_id: str) -> str:
    """The UID of a segment's own days, or of a due amount's day: the same in the agent's file and in the portal's."""
    return f"{entry_id}@wayvault"


def of_parts(days: Iterable[CalendarDay]) -> list[CalendarDay]:
    """Those of segments, without the days by which something was due ("SEGMENT-deposit", "due_…")."""
    return [day for day in days if "-" not in day.uid and not day.uid.startswith("due_")]


def still_gone(
    known: Iterable[CalendarDay], before: Iterable[CalendarDay], now: Iterable[CalendarDay]
) -> list[CalendarDay]:
    """What is gone after a change: what was gone already or stood there before, and does not stand there now."""
    present = {day.uid for day in now}
    gone = {day.uid: day for day in (*known, *before) if day.uid not in present}
    return list(gone.values())[-_MOST:]


def pack(days: Iterable[CalendarDay]) -> list[dict[str, str]]:
    """As a JSON column keeps them."""
    return [
        {
            "uid": day.uid,
            "begins_on": day.begins_on.isoformat(),
            "ends_on": day.ends_on.isoformat(),
            "title": day.title,
        }
        for day in days
    ]


def unpack(kept: Sequence[Mapping[str, Any]] | None) -> tuple[CalendarDay, ...]:
    """What `pack` made; nothing for rows from before there was such a column."""
    return tuple(
        CalendarDay(
            uid=each["uid"],
            begins_on=date.fromisoformat(each["begins_on"]),
            ends_on=date.fromisoformat(each["ends_on"]),
            title=each["title"],
        )
        for each in kept or ()
    )
