"""What `make test` makes of tests that pass at the second try only."""

from collections import Counter

import pytest

from deploy.dev import tests
from deploy.dev.tests import Outcome


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[Outcome]:
    """The outcomes of the runs of pytest, in order; the first is that of the tests without browsers."""
    outcomes: list[Outcome] = []
    monkeypatch.delenv("COVERAGE", raising=False)
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


def test_the_vaults_tests_are_run_apart_and_measured_when_asked(
    runs: list[Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []
    passing = Outcome(status=0, counts=Counter(passed=1))

    def run(arguments: list[str], **_: str) -> Outcome:
        asked.append(arguments)
        return passing

    monkeypatch.setattr(tests, "run", run)
    monkeypatch.setenv("COVERAGE", "1")

    assert tests.main([]) == 0

    rest, measured, unmeasured, _ = asked
    assert "--ignore=tests/unit/vault" in rest
    assert "--cov" not in rest
    assert {"tests/unit/vault", "tests/integration/vault", "--cov"} <= set(measured)
    assert "--ignore=tests/integration/vault/phone/test_proof.py" in measured
    assert unmeasured[0] == "tests/integration/vault/phone/test_proof.py"


def test_a_floor_that_is_not_reached_fails_the_run(runs: list[Outcome], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COVERAGE", "1")
    passing = Outcome(status=0, counts=Counter(passed=1))
    runs += [passing, Outcome(status=1, counts=Counter(passed=3)), passing, passing]

    assert tests.main([]) == 1
