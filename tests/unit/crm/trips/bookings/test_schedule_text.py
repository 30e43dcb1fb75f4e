"""A supplier's schedule as it is pasted."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.money import Money
from services.crm.trips.bookings.schedule_text import Schedule, Unreadable, read_schedule

TODAY = date(2026, 11, 27)
BEGINS = date(2027, 6, 5)


def usd(minor: int) -> Money:
    return Money(minor=minor, currency="USD")


PRICE = usd(4_000_00)


def read(text: str, *, price: Money | None = PRICE, begins_on: date | None = BEGINS) -> Schedule | Unreadable:
    return read_schedule(text, currency="USD", price=price, begins_on=begins_on, today=TODAY)


def dues(found: Schedule | Unreadable) -> list[tuple[int, date | None]]:
    assert isinstance(found, Schedule), found
    ends = ((found.deposit, found.deposit_due_on), (found.final, found.final_due_on))
    between = [(each.amount.minor, each.due_on) for each in found.instalments]
    first, last = [[(amount.minor, day)] if amount else [] for amount, day in ends]
    return [*first, *between, *last]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Payment schedule\nDeposit 25% due at booking\n$1,000.00 by 15 Jan 2027\nBalance 90 days before departure",
            [(1_000_00, TODAY), (1_000_00, date(2027, 1, 15)), (2_000_00, date(2027, 3, 7))],
        ),
        (
            "1st payment\tUSD 500\t2026-12-01\n2nd payment\tUSD 1500\t2027-02-01\n3rd payment\tUSD 2000\t2027-04-01",
            [(500_00, date(2026, 12, 1)), (1_500_00, date(2027, 2, 1)), (2_000_00, date(2027, 4, 1))],
        ),
        ("Payment 1/2: 500 at booking", [(500_00, TODAY)]),
        ("Final payment 100 % 8 weeks prior to travel", [(4_000_00, date(2027, 4, 10))]),
        ("Deposit: 12.5 percent, Dec 1, 2026", [(500_00, date(2026, 12, 1))]),
        (
            "Balance of 3,500.00 due 2027-04-01\nDeposit of 500.00 due 2026-12-01",
            [(500_00, date(2026, 12, 1)), (3_500_00, date(2027, 4, 1))],
        ),
    ],
)
def test_what_suppliers_write_is_read_in_the_order_of_its_days(
    text: str, expected: list[tuple[int, date | None]]
) -> None:
    assert dues(read(text)) == expected


@pytest.mark.parametrize(
    ("text", "changed", "why"),
    [
        ("Terms apply", {}, "There is no amount"),
        ("Deposit 25% now", {"price": None}, "give the price first"),
        ("500 60 days before sailing", {"begins_on": None}, "give the day it begins first"),
        ("Deposit 500 by 3/4/2027", {}, "3/4/2027"),
        ("500 by 31 Feb 2027", {}, "31 Feb 2027"),
        ("Deposit 500 due 15/01/27", {}, "write “15/01/27” with all four digits"),
        ("Final payment 3,500.00 by 1 Mar", {}, "write “1 Mar” with all four digits"),
        ("$500 Jan 15, 27", {}, "all four digits"),
        ("EUR 500,00 - 15.1.27", {}, "all four digits"),
        ("1/2", {}, "all four digits"),
        ("due 2027-03-01, see terms", {}, "there is no amount"),
        ("500 2026-12-01\nRest 2027-01-01\nBalance 2027-02-01", {}, "one line at most"),
        ("100 2026-12-01\n200\n300 2027-01-01\n400 2027-02-01", {}, "Give each line its day"),
    ],
)
def test_what_can_not_be_read_is_said_with_its_line(text: str, changed: dict[str, None], why: str) -> None:
    found = read(text, **changed)
    assert isinstance(found, Unreadable)
    assert why in found.why


@given(st.lists(st.integers(1, 10**7), min_size=1, max_size=12), st.randoms())
def test_every_pasted_amount_is_due_once_on_its_own_day(amounts: list[int], order: object) -> None:
    lines = [(minor, TODAY + timedelta(days=10 + number)) for number, minor in enumerate(amounts)]
    text = "\n".join(f"USD {minor / 100:,.2f} on {day.isoformat()}" for minor, day in reversed(lines))
    assert dues(read(text, price=None)) == lines


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    assert isinstance(read(text), Schedule | Unreadable)
