from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.money import Money
from services.portal.trips.rules import (
    PayType,
    Scheduled,
    Segment,
    TripStatus,
    amount_error,
    balance_of,
    is_over,
    is_shown,
    offers,
    schedule,
)

TODAY = date(2026, 11, 21)
amounts = st.integers(min_value=0, max_value=10**9)


def usd(minor: int) -> Money:
    return Money(minor=minor, currency="USD")


def segment(
    price: int | None = 400_000,
    deposit: int | None = 124_000,
    final: int | None = 276_000,
    deposit_due_on: date | None = date(2026, 12, 1),
    final_due_on: date | None = date(2027, 4, 1),
) -> Segment:
    return Segment(
        id="seg_1",
        supplier="Aurora Cruises",
        kind="cruise",
        confirmation="",
        text="",
        begins_on=date(2027, 6, 5),
        ends_on=date(2027, 6, 12),
        price=None if price is None else usd(price),
        scheduled=tuple(
            Scheduled(id=f"seg_1-{kind.value}", type=kind, amount=usd(amount), due_on=due_on)
            for kind, amount, due_on in (
                (PayType.DEPOSIT, deposit, deposit_due_on),
                (PayType.FINAL, final, final_due_on),
            )
            if amount is not None
        ),
    )


@given(price=amounts, paid=st.lists(amounts, max_size=4), coming=st.lists(amounts, max_size=4))
def test_paid_and_under_way_and_due_less_what_is_too_much_make_the_total(
    price: int, paid: list[int], coming: list[int]
) -> None:
    now = balance_of(segment(price), "USD", paid=map(usd, paid), under_way=map(usd, coming))
    assert now.due is not None
    assert now.paid.minor + now.under_way.minor + now.due.minor - now.over.minor == price
    assert now.due.minor == 0 or now.over.minor == 0


@given(deposit=amounts, final=amounts, paid=amounts)
def test_what_is_open_of_the_schedule_is_what_is_due_when_the_schedule_is_the_price(
    deposit: int, final: int, paid: int
) -> None:
    part = segment(deposit + final, deposit, final)
    now = balance_of(part, "USD", paid=[usd(paid)], under_way=[])
    assert now.due is not None
    assert sum(due.open.minor for due in schedule(part, now)) == now.due.minor


@given(price=amounts, paid=amounts)
def test_every_offered_amount_can_be_paid_and_one_cent_more_than_the_last_can_not(price: int, paid: int) -> None:
    part = segment(price, min(price, 124_000), None)
    now = balance_of(part, "USD", paid=[usd(paid)], under_way=[])
    for offer in offers(TripStatus.BOOKED, part, now):
        if offer.amount is not None:
            assert amount_error(offer.amount, now) == ""
    assert now.due is not None
    assert amount_error(usd(now.due.minor + 1), now) != ""


def test_without_a_price_deposit_and_final_payment_make_the_total() -> None:
    now = balance_of(segment(None), "USD", paid=[usd(124_000)], under_way=[])
    assert now.due == usd(276_000)


def test_a_segment_without_amounts_takes_any_amount_and_says_nothing_of_due() -> None:
    part = segment(None, None, None)
    now = balance_of(part, "USD", paid=[], under_way=[])
    assert (now.total, now.due) == (None, None)
    assert [offer.type for offer in offers(TripStatus.BOOKED, part, now)] == [PayType.REGULAR]
    assert amount_error(usd(99_999_999), now) == ""


def test_a_payment_in_another_currency_is_not_added_up() -> None:
    now = balance_of(segment(), "USD", paid=[Money(minor=100, currency="EUR")], under_way=[])
    assert now.due == usd(400_000)


def test_the_deposit_is_offered_first_then_all_that_is_left_then_a_part() -> None:
    part = segment()
    now = balance_of(part, "USD", paid=[], under_way=[usd(24_000)])
    found = offers(TripStatus.BOOKED, part, now)
    assert [(offer.type, offer.amount) for offer in found] == [
        (PayType.DEPOSIT, usd(100_000)),
        (PayType.FINAL, usd(376_000)),
        (PayType.REGULAR, None),
    ]


@pytest.mark.parametrize(
    ("status", "paid"), [(TripStatus.CANCELLED, 0), (TripStatus.QUOTE, 0), (TripStatus.BOOKED, 400_000)]
)
def test_nothing_is_offered_when_the_trip_is_off_or_all_is_paid(status: TripStatus, paid: int) -> None:
    part = segment()
    assert offers(status, part, balance_of(part, "USD", paid=[usd(paid)], under_way=[])) == ()


def test_a_refused_amount_says_what_is_left_and_what_is_being_taken() -> None:
    now = balance_of(segment(), "USD", paid=[usd(124_000)], under_way=[usd(76_000)])
    assert "2,000.00 is left" in amount_error(usd(300_000), now)
    assert "760.00" in amount_error(usd(300_000), now)
    assert amount_error(usd(0), now) == "Enter an amount above zero."


@pytest.mark.parametrize(
    ("status", "was_shown", "shown"),
    [
        (TripStatus.QUOTE, False, False),
        (TripStatus.QUOTE, True, False),
        (TripStatus.BOOKED, False, True),
        (TripStatus.TRAVELED, False, True),
        (TripStatus.CANCELLED, True, True),
        (TripStatus.CANCELLED, False, False),
    ],
)
def test_travelers_see_a_trip_from_its_booking_on(status: TripStatus, was_shown: bool, shown: bool) -> None:
    assert is_shown(status, was_shown=was_shown) is shown


def test_a_trip_is_over_on_the_day_after_its_last() -> None:
    assert not is_over(TripStatus.BOOKED, TODAY, TODAY)
    assert is_over(TripStatus.BOOKED, date(2026, 11, 20), TODAY)
    assert not is_over(TripStatus.BOOKED, None, TODAY)
    assert is_over(TripStatus.CANCELLED, date(2027, 6, 12), TODAY)
