"""Periods and bars: laws."""

import itertools
from datetime import date, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.crm.office.reports.chart import Series, draw, nice_step, short
from services.crm.office.reports.rules import (
    MOST_MONTHS,
    Commission,
    CommissionState,
    Period,
    asked_period,
    last_months,
    months,
    span_of,
    spans,
    weeks,
)

DAYS = st.dates(date(2001, 1, 1), date(2099, 12, 31))
USUAL = Period(first=date(2026, 1, 1), last=date(2026, 12, 31))
VALUES = st.lists(st.floats(0, 1e12, allow_nan=False), min_size=1, max_size=MOST_MONTHS)


@given(first=DAYS, days=st.integers(0, 700))
def test_months_and_weeks_cover_each_day_of_a_period_once(first: date, days: int) -> None:
    period = Period(first=first, last=min(first + timedelta(days=days), date(2100, 1, 1)))
    for parts in (months(period), weeks(period)):
        assert parts[0].first == period.first
        assert parts[-1].last == period.last
        for before, after in itertools.pairwise(parts):
            assert after.first == before.last + timedelta(days=1)
        assert all(span.first <= span.last for span in parts)
    assert all(span.first.month == span.last.month for span in months(period))
    assert all(span.first.isocalendar()[:2] == span.last.isocalendar()[:2] for span in weeks(period))


@given(first=DAYS, days=st.integers(0, 700), off=st.integers(0, 700))
def test_a_day_is_in_the_span_that_holds_it(first: date, days: int, off: int) -> None:
    assume(off <= days)
    period = Period(first=first, last=first + timedelta(days=days))
    _, parts = spans(period)
    number = span_of(first + timedelta(days=off), parts)
    assert number is not None
    assert parts[number].first <= first + timedelta(days=off) <= parts[number].last


@given(st.text(max_size=12), st.text(max_size=12))
def test_whatever_the_address_says_a_period_comes_of_it(first: str, last: str) -> None:
    period = asked_period(first, last, USUAL)
    assert period.first <= period.last
    assert len(months(period)) <= MOST_MONTHS


@given(first=DAYS, last=DAYS)
def test_a_period_that_was_asked_for_is_given_or_it_is_said_why_not(first: date, last: date) -> None:
    period = asked_period(first.isoformat(), last.isoformat(), USUAL)
    assert period.problem or (period.first, period.last) == (first, last)
    assert len(months(period)) <= MOST_MONTHS


def test_the_usual_period_is_whole_months() -> None:
    assert last_months(date(2026, 3, 15), 12) == Period(first=date(2025, 4, 1), last=date(2026, 3, 31))


@pytest.mark.parametrize(("largest", "step"), [(0, 1), (3, 1), (4, 1), (5, 2), (9, 2.5), (1234, 500), (7.6e6, 2e6)])
def test_the_scale_has_round_numbers(largest: float, step: float) -> None:
    assert nice_step(largest) == step


@given(st.floats(0, 1e13, allow_nan=False))
def test_the_largest_value_fits_the_scale(largest: float) -> None:
    assert nice_step(largest) * 4 >= largest * (1 - 1e-9)


@given(values=VALUES, wide=st.sampled_from([340, 860]))
def test_every_bar_stands_within_the_picture_and_as_tall_as_its_value(values: list[float], wide: int) -> None:
    words = [[str(value) for value in values]] * 2
    both = [Series(name="a", values=values), Series(name="b", values=values)]
    chart = draw(["x"] * len(values), both, words, width=wide)
    assert len(chart.bars) == 2 * len(values)
    for bar in chart.bars:
        assert chart.left - 1 <= bar.x
        assert bar.x + bar.width <= chart.width
        assert 0 <= bar.y <= chart.base
        assert abs(bar.y + bar.height - chart.base) < 0.3
    tallest = max(range(len(values)), key=values.__getitem__)
    assert chart.bars[tallest].height == max(bar.height for bar in chart.bars)
    assert all(label.at <= chart.width for label in chart.labels)


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (2.5, "2.5"), (750, "750"), (12_000, "12k"), (1_500_000, "1.5M"), (2e9, "2B")]
)
def test_numbers_of_the_scale_are_short(value: float, text: str) -> None:
    assert short(value) == text


@given(expected=st.integers(0, 10**9), received=st.integers(0, 10**9))
def test_a_commission_is_outstanding_until_all_came(expected: int, received: int) -> None:
    commission = Commission(expected=expected, received=received)
    assert commission.outstanding >= 0
    assert (commission.state is CommissionState.RECEIVED) == (received >= expected)
