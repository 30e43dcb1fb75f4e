"""The arithmetic of the bench, and the shape of what it prints."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.figures import Figure, Run, document, percentile, run_of, summary

numbers = st.lists(st.floats(min_value=0, max_value=1e6), min_size=1, max_size=200)


def a_run(per_second: float, p99: float = 5.0) -> Run:
    return Run(per_second=per_second, operations=10, ms={"p50": 1.0, "p95": 2.0, "p99": p99})


def test_a_percentile_is_the_nearest_rank() -> None:
    hundred = [float(number) for number in range(100, 0, -1)]
    assert [percentile(hundred, percent) for percent in (1, 50, 95, 99, 100)] == [1, 50, 95, 99, 100]
    assert percentile([7.0], 50) == percentile([7.0], 99) == 7.0
    assert percentile([1.0, 2.0, 3.0], 50) == 2.0
    assert percentile([1.0, 2.0, 3.0], 99) == 3.0


@pytest.mark.parametrize("percent", [0, -1, 101])
def test_a_percentile_that_is_none_is_refused(percent: float) -> None:
    with pytest.raises(ValueError, match="percentile"):
        percentile([1.0], percent)


def test_nothing_has_no_percentile_and_no_rate() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)
    with pytest.raises(ValueError, match="operations"):
        run_of([])


@given(numbers)
def test_a_percentile_is_one_of_the_values_and_enough_of_them_do_not_exceed_it(values: list[float]) -> None:
    for percent in (50, 95, 99):
        found = percentile(values, percent)
        assert found in values
        assert sum(value <= found for value in values) * 100 >= percent * len(values)


@given(numbers)
def test_percentiles_rise(values: list[float]) -> None:
    assert percentile(values, 50) <= percentile(values, 95) <= percentile(values, 99)


def test_a_run_counts_from_the_first_begin_to_the_last_end() -> None:
    run = run_of([(10.0, 10.5), (10.25, 12.0), (11.0, 11.5)])
    assert run.per_second == pytest.approx(1.5)
    assert run.operations == 3
    assert run.ms == {"p50": 500.0, "p95": 1750.0, "p99": 1750.0}


def test_operations_that_handle_several_things_count_the_things() -> None:
    assert run_of([(0.0, 1.0), (1.0, 2.0)], items=200).per_second == pytest.approx(200)


def test_figures_are_medians_over_runs_so_that_one_disturbed_run_does_not_count() -> None:
    found = summary([a_run(100, 5), a_run(3, 900), a_run(110, 6)])
    assert found["per_second"] == {"median": 100, "lowest": 3, "highest": 110}
    assert found["ms"]["p99"] == 6
    assert found["operations"] == 30


def test_a_ratio_is_taken_within_each_round() -> None:
    figure = Figure(name="f", engines="real", runs=[a_run(100), a_run(10)], baselines={"raw": [a_run(200), a_run(20)]})
    assert figure.ratio("raw") == 0.5


def test_rounds_that_do_not_match_are_an_error() -> None:
    figure = Figure(name="f", engines="real", runs=[a_run(1)], baselines={"raw": [a_run(1), a_run(2)]})
    with pytest.raises(ValueError, match="zip"):
        figure.ratio("raw")


def test_the_document_has_the_promised_shape() -> None:
    store = Figure(
        name="vault.store_card",
        engines="real",
        callers=8,
        runs=[a_run(300, 70)],
        baselines={"hvac_encrypt": [a_run(400)], "postgres_commit": [a_run(1500)]},
        notes={"server_processes": 2},
    )
    found = json.loads(json.dumps(document([store], about={"command": "python -m tests.bench vault"})))
    assert found["command"] == "python -m tests.bench vault"
    (figure,) = found["figures"]
    assert set(figure) == {
        "name", "engines", "callers", "runs", "operations", "per_second", "ms", "baselines", "notes"
    }  # fmt: skip
    assert set(figure["per_second"]) == {"median", "lowest", "highest"}
    assert set(figure["ms"]) == {"p50", "p95", "p99"}
    for baseline in figure["baselines"].values():
        assert set(baseline) == {"runs", "operations", "per_second", "ms", "ratio"}
    ratio, p99 = found["aims"]
    assert (ratio["wanted"], ratio["found"], ratio["met"]) == (0.7, 0.75, True)
    assert (p99["wanted"], p99["found"], p99["met"]) == (60.0, 70, False)


def test_an_aim_whose_figure_was_not_measured_says_nothing() -> None:
    figure = Figure(name="vault.store_card", engines="embedded", callers=8, runs=[a_run(1)])
    assert document([figure], about={})["aims"] == []
