"""The days of a plan (G3): each is found by its number alone, whatever month it falls into."""

from calendar import monthrange
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.crm.paying.standing_orders.plan import Every, Plan, days_ahead, due_date, first_from, is_over, plan_words
from tests.support.crm_paying import usd

DAYS = st.dates(date(2024, 1, 1), date(2030, 12, 31))


def plan(first_on: date, every: Every = Every.MONTH, *, times: int | None = None, until: date | None = None) -> Plan:
    return Plan(amount=usd(50_00), every=every, first_on=first_on, times=times, until=until)


def test_the_31st_is_the_last_day_of_a_shorter_month_and_the_31st_again_after_it() -> None:
    found = [due_date(plan(date(2027, 12, 31)), index) for index in range(5)]
    assert found == [date(2027, 12, 31), date(2028, 1, 31), date(2028, 2, 29), date(2028, 3, 31), date(2028, 4, 30)]


@given(first=DAYS, every=st.sampled_from(Every), index=st.integers(0, 100))
def test_days_follow_each_other_and_keep_to_the_wanted_day(first: date, every: Every, index: int) -> None:
    one, other = due_date(plan(first, every), index), due_date(plan(first, every), index + 1)
    assert one < other
    if every in (Every.WEEK, Every.FORTNIGHT):
        assert (other - first).days % 7 == 0
    else:
        assert other.day == min(first.day, monthrange(other.year, other.month)[1])


@given(first=DAYS, every=st.sampled_from(Every), days=st.integers(0, 800))
def test_after_a_pause_it_goes_on_with_the_first_day_that_is_not_over(first: date, every: Every, days: int) -> None:
    today = first + timedelta(days=days)
    index = first_from(plan(first, every), 0, today)
    assert due_date(plan(first, every), index) >= today
    assert index == 0 or due_date(plan(first, every), index - 1) < today


def test_it_ends_after_its_number_or_on_its_day() -> None:
    first = date(2027, 1, 31)
    assert is_over(plan(first, times=3), index=7, made=3)
    assert not is_over(plan(first, times=3), index=7, made=2)
    assert days_ahead(plan(first, until=date(2027, 3, 31)), index=0, made=0, limit=9) == [
        date(2027, 1, 31),
        date(2027, 2, 28),
        date(2027, 3, 31),
    ]
    assert len(days_ahead(plan(first), index=0, made=0, limit=6)) == 6


def test_the_plan_is_said_in_words() -> None:
    assert plan_words(plan(date(2027, 1, 31), times=12)) == (
        "US$ 50.00 every month, first on Sun 31 Jan 2027 and then on day 31 or, in a shorter month, its last day, "
        "12 times in all"
    )
    assert plan_words(plan(date(2027, 1, 5), Every.WEEK)) == (
        "US$ 50.00 every week, first on Tue 5 Jan 2027, until it is cancelled"
    )
    assert plan_words(plan(date(2027, 1, 5), until=date(2027, 6, 30))).endswith("the last on or before Wed 30 Jun 2027")
