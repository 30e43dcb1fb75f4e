"""Pauses between tries grow, and never beyond their limit."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from chassis.backoff import grown, spread

SECONDS = st.floats(0.01, 60)


@given(first=SECONDS, longest=SECONDS, failures=st.integers(0, 10**6))
def test_a_pause_grows_up_to_its_limit(first: float, longest: float, failures: int) -> None:
    pause, following = grown(first, failures, longest), grown(first, failures + 1, longest)
    assert pause <= following <= longest
    assert following == min(pause * 2, longest) or failures >= 16


def test_moments_grow_as_seconds_do() -> None:
    pauses = [grown(timedelta(seconds=2), failures, timedelta(minutes=1)).total_seconds() for failures in range(7)]
    assert pauses == [2, 4, 8, 16, 32, 60, 60]


@given(SECONDS)
def test_those_who_failed_together_come_back_within_a_pause_and_not_at_once(seconds: float) -> None:
    assert seconds / 2 <= spread(seconds) <= seconds
