"""When people come, and what is told of how long they waited."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.scale import Served, arrivals, pages_per_second, row, submits_per_second, told


@given(st.floats(0.1, 50), st.floats(1, 20), st.integers())
def test_who_comes_comes_within_the_time_and_in_order(rate: float, seconds: float, seed: int) -> None:
    moments = list(arrivals(rate, seconds, random.Random(seed)))
    assert moments == sorted(moments)
    assert all(0 <= moment < seconds for moment in moments)


def test_as_many_come_as_the_rate_says_and_nobody_waits_for_another() -> None:
    moments = list(arrivals(20, 500, random.Random(7)))
    assert len(moments) == pytest.approx(10_000, rel=0.05)
    gaps = [after - before for before, after in itertools.pairwise(moments)]
    # Of a Poisson process: the gaps' deviation is their mean.
    mean = sum(gaps) / len(gaps)
    deviation = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert deviation == pytest.approx(mean, rel=0.1)
    assert list(arrivals(0, 10, random.Random(1))) == []


def test_what_an_agent_brings_grows_with_the_agents() -> None:
    assert submits_per_second(1000) == pytest.approx(1.67, rel=0.01)
    assert pages_per_second(1000) == pytest.approx(100)


def test_who_was_not_served_is_counted_and_not_averaged_away() -> None:
    served = [Served(kind="page", seconds=0.1, well=True)] * 99 + [Served(kind="page", seconds=70, well=False)]
    assert told(served, "page") == {"came": 100, "not_served": 1, "ms": {"p50": 100, "p95": 100, "p99": 100}}
    assert told(served, "submit") == {"came": 0, "not_served": 0, "ms": {}}


def test_a_row_names_who_was_not_served_and_the_programs_that_were_busiest() -> None:
    step = {
        "agents": 1000,
        "pages": {"came": 100, "not_served": 1, "ms": {"p50": 40, "p95": 90, "p99": 95}},
        "submits": {"came": 0, "not_served": 0, "ms": {}},
        "processors": {
            "crm-web": 0.5,
            "vault-serve": 0.02,
            "postgres": 0.7,
            "rabbitmq": 0.1,
            "hcvault": 0.03,
            "x": 0.01,
        },
    }
    assert row(step) == (
        "| 1,000 | 100, 1 not served, 40 / 90 ms | 0, 0 not served "
        "| postgres 0.7, crm-web 0.5, rabbitmq 0.1, hcvault 0.03, vault-serve 0.02 |"
    )
