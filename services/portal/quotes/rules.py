"""What may be asked for, and how often. Pure."""

from dataclasses import dataclass
from datetime import date

# From one address within an hour: a family at its table, not a machine.
REQUESTS_PER_HOUR = 5
MOST_ADULTS = 20
MOST_CHILDREN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a visitor asks for. Dates may be open."""

    destination: str
    begins_on: date | None
    ends_on: date | None
    adults: int
    children: int
    budget: str
    wishes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who asks, as typed."""

    first_name: str
    last_name: str
    email: str
    phone: str


def date_errors(begins_on: date | None, ends_on: date | None, today: date) -> dict[str, str]:
    """What is wrong with the dates: field -> text."""
    errors: dict[str, str] = {}
    if begins_on is not None and begins_on < today:
        errors["begins_on"] = "The trip begins in the past. Check the date, or leave it open."
    if ends_on is not None and ends_on < (begins_on or today):
        errors["ends_on"] = "The trip ends before it begins. Check both dates, or leave them open."
    return errors
