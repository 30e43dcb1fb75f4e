"""What `make test` makes of tests that pass at the second try only."""

from collections import Counter

import pytest

from deploy.dev import tests
from deploy.dev.tests import Outcome


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[Outcome]:
    """The outcomes of the runs of pytest, in order; the first is that of the tests without browsers."""
    outcomes: list[Outcome] = []
    monkeypatch.setattr(tests, "run", lambda *_, **__: outcomes.pop(0))
    monkeypatch.setattr(tests, "_PARTS", 1)
    return outcomes


def _failing(*names: str) -> Outcome:
    return Outcome(status=1, counts=Counter(passed=5, failed=len(names)), failed=names)


def test_a_test_that_passes_when_tried_again_is_named_before_the_closing_line(
    runs: list[Outcome], capsys: pytest.CaptureFixture[str]
) -> None:
    passing = Outcome(status=0, counts=Counter(passed=2))
    runs += [passing, _failing("tests/e2e/a.py::one", "tests/e2e/a.py::two"), passing]

    assert tests.main([]) == 0

    said = capsys.readouterr().out.splitlines()
    assert said[-3].startswith("FLAKY tests/e2e/a.py::one")
    assert said[-2].startswith("FLAKY tests/e2e/a.py::two")
    assert "9 passed" in said[-1]


def test_more_than_two_flaky_tests_fail_the_run(runs: list[Outcome], capsys: pytest.CaptureFixture[str]) -> None:
    passing = Outcome(status=0, counts=Counter(passed=3))
    runs += [passing, _failing("tests/e2e/a.py::one", "tests/e2e/a.py::two", "tests/e2e/a.py::three"), passing]

    assert tests.main([]) == 1
    assert "3 flaky tests fail the run" in capsys.readouterr().out


def test_what_fails_twice_has_failed_and_is_not_called_flaky(
    runs: list[Outcome], capsys: pytest.CaptureFixture[str]
) -> None:
    runs += [
        Outcome(status=0, counts=Counter(passed=1)),
        _failing("tests/e2e/a.py::one", "tests/e2e/a.py::two"),
        _failing("tests/e2e/a.py::one"),
    ]

    assert tests.main([]) == 1

    said = capsys.readouterr().out
    assert "FLAKY tests/e2e/a.py::two" in said
    assert "FLAKY tests/e2e/a.py::one" not in said
