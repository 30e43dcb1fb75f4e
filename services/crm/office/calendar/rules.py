"""Months and the weeks that show them. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from services.crm.core.days import DayKind, DayLine, Lines

EARLIEST: Final = date(2000, 1, 1)
LATEST: Final = date(2100, 12, 31)
_ORDER: Final = {kind: place for place, kind in enumerate(DayKind)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day of a calendar: the lines that it shows, and how many there are of each kind."""

    on: date
    lines: Sequence[DayLine]
    counts: Mapping[DayKind, int]

    @property
    def more(self) -> int:
        """How many lines are not shown."""
        return sum(self.counts.values()) - len(self.lines)


def month_asked(text: str, today: date) -> date:
    """The first day of the month that an address names ("2026-11"); nonsense is this month."""
    year, dash, month = text.partition("-")
    if dash and all(part.isascii() and part.isdigit() for part in (year, month)) and len(text) == 7:
        number = int(month)
        if EARLIEST.year <= int(year) <= LATEST.year and 1 <= number <= 12:
            return date(int(year), number, 1)
    return today.replace(day=1)


def weeks_of(month: date) -> tuple[date, date]:
    """The Monday before a month's first day, and the Sunday after its last."""
    last = next_month(month) - timedelta(days=1)
    return month - timedelta(days=month.weekday()), last + timedelta(days=6 - last.weekday())


def next_month(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def previous_month(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)


def days_of(first: date, last: date, parts: Iterable[Lines], most: int) -> list[Day]:
    """Each day with what the parts know of it, the kinds in their order: at most so many lines of all together."""
    lines: dict[date, list[DayLine]] = {}
    counts: dict[date, Counter[DayKind]] = {}
    for part in parts:
        for line in part.lines:
            lines.setdefault(line.on, []).append(line)
        kinds = {line.on: line.kind for line in part.lines}
        for on, times in part.counts.items():
            counts.setdefault(on, Counter())[kinds[on]] += times
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [
        Day(
            on=on,
            lines=sorted(lines.get(on, ()), key=lambda line: _ORDER[line.kind])[:most],
            counts=counts.get(on, Counter()),
        )
        for on in days
    ]
