"""Periods, their months and weeks, and commissions. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from chassis.typed.days import DayError, read_day

# A chart of more months than this can't be read.
MOST_MONTHS: Final = 24
EARLIEST: Final = date(2000, 1, 1)
LATEST: Final = date(2100, 12, 31)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """The days from `first` to `last`, both included. `problem` says what was wrong with what was asked for."""

    first: date
    last: date
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A month or a week, cut to the period: the days from `first` to `last`, both included."""

    first: date
    last: date

    def bounds(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """The moments at which it begins and at which the next begins, by this zone's clock."""
        after = self.last + timedelta(days=1)
        return datetime.combine(self.first, time(), zone), datetime.combine(after, time(), zone)


def asked_period(first: str, last: str, usual: Period) -> Period:
    """The period that the address names, as ISO dates; an empty one is the usual one's."""
    begin, end = _day(first, usual.first), _day(last, usual.last)
    if begin is None or end is None:
        return Period(first=usual.first, last=usual.last, problem="Enter both dates, such as 2026-11-21.")
    if end < begin:
        return Period(first=usual.first, last=usual.last, problem="The end is before the beginning. Check both dates.")
    if len(months(Period(first=begin, last=end))) > MOST_MONTHS:
        cut = _month_after(begin.replace(day=1), MOST_MONTHS) - timedelta(days=1)
        return Period(first=begin, last=cut, problem=f"At most {MOST_MONTHS} months are shown at once.")
    return Period(first=begin, last=end)


def last_months(today: date, count: int) -> Period:
    """So many months up to this one, which is whole."""
    this = today.replace(day=1)
    return Period(first=_month_after(this, 1 - count), last=_month_after(this, 1) - timedelta(days=1))


def around(today: date, before: int, after: int) -> Period:
    """Whole months from `before` this one to `after` it."""
    this = today.replace(day=1)
    return Period(first=_month_after(this, -before), last=_month_after(this, after + 1) - timedelta(days=1))


def next_days(today: date, days: int) -> Period:
    """From today on, so many days."""
    return Period(first=today, last=today + timedelta(days=days))


def months(period: Period) -> list[Span]:
    """The calendar months of a period."""
    found, begin = [], period.first
    while begin <= period.last:
        following = _month_after(begin.replace(day=1), 1)
        found.append(Span(first=begin, last=min(period.last, following - timedelta(days=1))))
        begin = following
    return found


def weeks(period: Period) -> list[Span]:
    """The weeks of a period, from Monday to Sunday."""
    found, begin = [], period.first
    while begin <= period.last:
        following = begin + timedelta(days=7 - begin.weekday())
        found.append(Span(first=begin, last=min(period.last, following - timedelta(days=1))))
        begin = following
    return found


def spans(period: Period) -> tuple[str, list[Span]]:
    """Weeks where a quarter at most is asked for, else months; with the word for one of them."""
    return ("week", weeks(period)) if (period.last - period.first).days <= 92 else ("month", months(period))


def span_of(day: date, among: Sequence[Span]) -> int | None:
    """Which of the spans a day is in."""
    return next((index for index, span in enumerate(among) if span.first <= day <= span.last), None)


class CommissionState(StrEnum):
    """Where a segment's commission stands."""

    OUTSTANDING = "outstanding"
    RECEIVED = "received"


@dataclass(frozen=True, slots=True, kw_only=True)
class Commission:
    """Expected and received of one segment or of many, in minor units of one currency."""

    expected: int
    received: int

    @property
    def outstanding(self) -> int:
        """What is still to come; nothing where more came than was expected."""
        return max(0, self.expected - self.received)

    @property
    def state(self) -> CommissionState:
        return CommissionState.OUTSTANDING if self.outstanding else CommissionState.RECEIVED


def _day(text: str, otherwise: date) -> date | None:
    if not text:
        return otherwise
    try:
        return read_day(text, earliest=EARLIEST, latest=LATEST)
    except DayError:
        return None


def _month_after(first_of_month: date, count: int) -> date:
    number = first_of_month.year * 12 + first_of_month.month - 1 + count
    return date(number // 12, number % 12 + 1, 1)
