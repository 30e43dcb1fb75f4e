"""What a client authorizes with a standing order: how much, how often, until when; and which days that makes. Pure."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from chassis.moments import written_day
from chassis.money import Money


class Every(StrEnum):
    """How often."""

    WEEK = "week"
    FORTNIGHT = "fortnight"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


EVERY_WORDS: Final = {
    Every.WEEK: "Every week",
    Every.FORTNIGHT: "Every two weeks",
    Every.MONTH: "Every month",
    Every.QUARTER: "Every three months",
    Every.YEAR: "Every year",
}
_DAYS: Final = {Every.WEEK: 7, Every.FORTNIGHT: 14}
_MONTHS: Final = {Every.MONTH: 1, Every.QUARTER: 3, Every.YEAR: 12}
_SHORTEST_MONTH: Final = 28
MOST_TIMES: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`times`: how many charges there are; `until`: no day after it. Neither: until somebody cancels it. All days are
    the agency's."""

    amount: Money
    every: Every
    first_on: date
    times: int | None = None
    until: date | None = None


def due_date(plan: Plan, index: int) -> date:
    """The day of the charge number `index` (0 is the first). A day that a month does not have is its last one, and the
    months after it have the wanted day again."""
    if plan.every in _DAYS:
        return plan.first_on + timedelta(days=index * _DAYS[plan.every])
    months = plan.first_on.month - 1 + index * _MONTHS[plan.every]
    year, month = plan.first_on.year + months // 12, months % 12 + 1
    return date(year, month, min(plan.first_on.day, monthrange(year, month)[1]))


def is_over(plan: Plan, *, index: int, made: int) -> bool:
    """Whether nothing is charged any more. Days that were left out don't count as made."""
    if plan.times is not None and made >= plan.times:
        return True
    return plan.until is not None and due_date(plan, index) > plan.until


def first_from(plan: Plan, index: int, day: date) -> int:
    """The number, `index` or later, of the first charge that is due on `day` or after it."""
    while due_date(plan, index) < day:
        index += 1
    return index


def days_ahead(plan: Plan, *, index: int, made: int, limit: int) -> list[date]:
    """The next days on which something is due, at most `limit`."""
    found: list[date] = []
    while len(found) < limit and not is_over(plan, index=index, made=made):
        found.append(due_date(plan, index))
        index, made = index + 1, made + 1
    return found


def plan_words(plan: Plan) -> str:
    """The plan as the client signs it: "US$ 50.00 every month, first on Sun 31 Jan 2027, …"."""
    amount = plan.amount.format().replace("\u00a0", " ")
    first = f"{amount} {EVERY_WORDS[plan.every].lower()}, first on {written_day(plan.first_on)}"
    if plan.every in _MONTHS and plan.first_on.day > _SHORTEST_MONTH:
        first += f" and then on day {plan.first_on.day} or, in a shorter month, its last day"
    if plan.times is not None:
        return f"{first}, {plan.times} times in all"
    if plan.until is not None:
        return f"{first}, the last on or before {written_day(plan.until)}"
    return f"{first}, until it is cancelled"
