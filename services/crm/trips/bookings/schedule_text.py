"""Reads a supplier's payment schedule as it is pasted: one due amount a line, in any of the ways suppliers write. Pure.

"Deposit 25% due at booking", "$500.00 by 15 Jan 2027", "Second payment: 1,000 90 days before departure",
"Balance 2027-03-01".
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from chassis.money import Money, MoneyError
from chassis.typed.days import DayError, read_day
from services.crm.trips.bookings.rules import DueKind, Instalment

MOST_LINES: Final = 60
_PERCENT: Final = re.compile(r"(\d{1,3}(?:[.,]\d{1,2})?)\s*(?:%|per\s?cent\b|percent\b)", re.IGNORECASE)
_BEFORE: Final = re.compile(r"(\d{1,3})\s*(day|week)s?\s*(?:before|prior|pre\b|ahead)", re.IGNORECASE)
_AT_BOOKING: Final = re.compile(r"\b(?:at|on|upon|with)\s+booking\b|\btoday\b|\bnow\b|\bimmediately\b", re.IGNORECASE)
_DEPOSIT: Final = re.compile(r"\bdeposit\b|\bdown\s?payment\b", re.IGNORECASE)
_FINAL: Final = re.compile(r"\bfinal\b|\bbalance\b|\brest\b|\bremain(?:der|ing)\b", re.IGNORECASE)
_MONTH: Final = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DAYS: Final = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}"
    r"|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?[ .\-]+{_MONTH}[ .,\-]+\d{{4}}"
    rf"|\b{_MONTH}[ .]+\d{{1,2}}(?:st|nd|rd|th)?[ ,.]+\d{{4}}",
    re.IGNORECASE,
)
# A day without its year or with two digits of it: it is asked about, for without it the amount would be due on no day.
_HALF_A_DAY: Final = re.compile(
    rf"(?<![\d.,])\d{{1,2}}(?:[-/]\d{{1,2}}(?:[-/]\d{{1,3}})?|\.\d{{1,2}}\.\d{{0,3}})(?![\d.,]*\d)"
    rf"|\b\d{{1,2}}(?:st|nd|rd|th)?[ .\-]+{_MONTH}\b|\b{_MONTH}[ .]+\d{{1,2}}\b",
    re.IGNORECASE,
)
_AMOUNT: Final = re.compile(r"(?:[A-Z]{2,3}\$?|[$€£¥])?\s?\d[\d.,'’\u00a0\u202f]*(?:\s?(?:[A-Z]{3}|[$€£¥]))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What was read, in the order of its days."""

    deposit: Money | None = None
    deposit_due_on: date | None = None
    instalments: tuple[Instalment, ...] = ()
    final: Money | None = None
    final_due_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """What can't be read, in words for the person, the line named."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A line: `amount` is None for what is left of the price."""

    kind: DueKind | None
    amount: Money | None
    due_on: date | None


def read_schedule(
    text: str, *, currency: str, price: Money | None, begins_on: date | None, today: date
) -> Schedule | Unreadable:
    """Reads what was pasted. Percentages are of the price, and days before are counted from the first day."""
    lines: list[_Line] = []
    for line in text.splitlines()[:MOST_LINES]:
        if not re.search(r"\d", line) and not (_FINAL.search(line) and lines):
            continue  # a heading
        read = _read_line(line, currency=currency, price=price, begins_on=begins_on, today=today)
        if isinstance(read, Unreadable):
            return read
        lines.append(read)
    if not lines:
        return Unreadable(why="There is no amount with a day in this text. Write one due amount on each line.")
    return _ordered(lines, currency, price)


def _read_line(
    line: str, *, currency: str, price: Money | None, begins_on: date | None, today: date
) -> _Line | Unreadable:
    shown = line.strip()[:60]
    due_on, rest = _day_of(line, begins_on, today)
    if isinstance(due_on, Unreadable):
        return replace(due_on, why=f"“{shown}”: {due_on.why}")
    kind = DueKind.DEPOSIT if _DEPOSIT.search(line) else DueKind.FINAL if _FINAL.search(line) else None
    if percent := _PERCENT.search(rest):
        if price is None:
            return Unreadable(why=f"“{shown}”: give the price first, so that a percentage can be worked out.")
        return _Line(kind=kind, amount=_share(price, percent[1]), due_on=due_on)
    found = [each.strip() for each in _AMOUNT.findall(rest)]
    # "2nd payment: 1,000": what has a currency or cents is the amount, else the longest number.
    found = [each for each in found if re.search(r"\d", each)]
    if not found:
        if kind is DueKind.FINAL:
            return _Line(kind=kind, amount=None, due_on=due_on)
        return Unreadable(why=f"“{shown}”: there is no amount.")
    best = max(found, key=lambda each: (bool(re.search(r"[A-Z$€£¥]", each)), len(re.sub(r"\D", "", each))))
    try:
        amount = Money.parse(best.strip(" .,"), currency)
    except MoneyError as error:
        return Unreadable(why=f"“{shown}”: {error}")
    return _Line(kind=kind, amount=amount, due_on=due_on)


def _day_of(line: str, begins_on: date | None, today: date) -> tuple[date | Unreadable | None, str]:
    """The line's day, and the line without it."""
    if before := _BEFORE.search(line):
        if begins_on is None:
            return Unreadable(why="give the day it begins first, so that the days before can be counted."), line
        days = int(before[1]) * (7 if before[2].lower() == "week" else 1)
        return begins_on - timedelta(days=days), line.replace(before[0], " ")
    if written := _DAYS.search(line):
        try:
            return read_day(written[0]), line.replace(written[0], " ")
        except DayError as error:
            return Unreadable(why=str(error)), line
    if _AT_BOOKING.search(line):
        return today, line
    if half := _HALF_A_DAY.search(line):
        return Unreadable(why=f"write “{half[0]}” with all four digits of its year, such as 15 Jan 2027."), line
    return None, line


def _share(price: Money, percent: str) -> Money:
    exact = Decimal(price.minor) * Decimal(percent.replace(",", ".")) / 100
    return Money(minor=int(exact.to_integral_value(ROUND_HALF_UP)), currency=price.currency)


def _ordered(lines: Sequence[_Line], currency: str, price: Money | None) -> Schedule | Unreadable:
    known = sum(line.amount.minor for line in lines if line.amount)
    open_ended = [line for line in lines if line.amount is None]
    if open_ended and (price is None or len(open_ended) > 1 or price.minor <= known):
        return Unreadable(why="Give the price first, and one line at most for what is left of it.")
    dues = [
        replace(line, amount=Money(minor=price.minor - known, currency=currency))
        if line.amount is None and price is not None
        else line
        for line in lines
    ]
    dues = [line for line in dues if line.amount is not None and line.amount.minor > 0]
    if any(line.due_on is None and line.kind is None for line in dues) and len(dues) > 1:
        return Unreadable(why="Give each line its day.")
    dues.sort(key=lambda line: line.due_on or (date.min if line.kind is DueKind.DEPOSIT else date.max))
    first = dues.pop(0) if dues and (dues[0].kind is DueKind.DEPOSIT or len(dues) > 1) else None
    last = dues.pop() if dues else None
    if any(line.due_on is None for line in dues):
        return Unreadable(why="Give each line its day.")
    return Schedule(
        deposit=first.amount if first else None,
        deposit_due_on=first.due_on if first else None,
        instalments=tuple(Instalment(amount=line.amount, due_on=line.due_on) for line in dues if line.amount),
        final=last.amount if last else None,
        final_due_on=last.due_on if last else None,
    )
