"""The days of a calendar as entries of a file, and what calendars that subscribe to them are told. Pure."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from chassis.calendar import Entry, cancelled
from chassis.former_days import CalendarDay, still_gone
from services.crm.core.days import DayKind, DayLine
from services.crm.office.calendar.rules import Day

WORDS: Final = {
    DayKind.DEPARTURE: "Leaves",
    DayKind.RETURN: "Returns",
    DayKind.DUE: "Due",
    DayKind.LAPSE: "Card lapses",
    DayKind.TASK: "To do",
}
# Which days a subscription has: enough to look back on, and a year of trips to come.
BACK: Final = timedelta(days=31)
AHEAD: Final = timedelta(days=366)
# An agent's year; what is further away than so many entries comes when it is nearer.
MOST_ENTRIES: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a subscription says: its entries, and of it what the next answer is compared with."""

    entries: tuple[Entry, ...]
    present: tuple[CalendarDay, ...]
    gone: tuple[CalendarDay, ...]
    digest: str
    sequence: int


def entries_of(days: Iterable[Day], *, sequence: int = 0) -> list[Entry]:
    """An entry for each line that the days show."""
    return [
        Entry(
            uid=_uid(line),
            sequence=sequence,
            begins_on=line.on,
            ends_on=line.on,
            title=f"{WORDS[line.kind]}: {line.title}" if line.kind in WORDS else line.title,
            text=line.detail,
            busy=False,
        )
        for day in days
        for line in day.lines
    ]


def window(today: date) -> tuple[date, date]:
    """The first and the last day of a subscription."""
    return today - BACK, today + AHEAD


def tell(
    days: Sequence[Day], first: date, *, told: Sequence[CalendarDay], gone: Sequence[CalendarDay], last: tuple[str, int]
) -> Told:
    """What is said today: `told` and `gone` are what was said last, `last` its digest and its sequence, which grows
    with each change. What is no more goes out as cancelled as long as its day is in the window: a day that has merely
    passed out of it was not cancelled."""
    present = entries_of(days)[:MOST_ENTRIES]
    now = tuple(
        CalendarDay(uid=one.uid, begins_on=one.begins_on, ends_on=one.ends_on, title=one.title) for one in present
    )
    ended = tuple(still_gone(_since(gone, first), _since(told, first), now))
    digest = _digest(present, ended)
    sequence = last[1] if digest == last[0] else last[1] + 1
    said = (*entries_of(days, sequence=sequence)[:MOST_ENTRIES], *cancelled(ended, sequence=sequence))
    return Told(entries=said, present=now, gone=ended, digest=digest, sequence=sequence)


def _since(days: Iterable[CalendarDay], first: date) -> list[CalendarDay]:
    return [day for day in days if day.begins_on >= first]


def _uid(line: DayLine) -> str:
    return f"{line.kind}-{line.part_id or line.thing_id}-{line.on}@wayvault"


def _digest(present: Iterable[Entry], ended: Iterable[CalendarDay]) -> str:
    said = [[one.uid, one.title, one.text] for one in present], [day.uid for day in ended]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
