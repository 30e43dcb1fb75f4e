"""What `make test` makes of tests that pass at the second try only."""

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from deploy.dev import tests
from deploy.dev.tests import Outcome


@dataclass
class Runs:
    """The outcomes of the runs of pytest: of the browser tests, in order, and of all others."""

    walked: list[Outcome] = field(default_factory=list)
    other: Outcome = field(default_factory=lambda: Outcome(status=0, counts=Counter(passed=2)))
    asked: list[list[str]] = field(default_factory=list)

    def run(self, arguments: list[str], before: Sequence[str] = (), **_: str) -> Outcome:
        self.asked.append(arguments)
        return self.walked.pop(0) if arguments[0].startswith("tests/e2e") else self.other


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    made = Runs()
    monkeypatch.delenv("COVERAGE", raising=False)
    monkeypatch.setattr(tests, "run", made.run)
    monkeypatch.setattr(tests, "_parts", lambda: ["walks"])
    return made


def _failing(*names: str) -> Outcome:
    return Outcome(status=1, counts=Counter(passed=5, failed=len(names)), failed=names)


def test_a_test_that_passes_when_tried_again_is_named_before_the_closing_line(
    runs: Runs, capsys: pytest.CaptureFixture[str]
) -> None:
    passing = Outcome(status=0, counts=Counter(passed=2))
    runs.walked += [_failing("tests/e2e/a.py::one", "tests/e2e/a.py::two"), passing]

    assert tests.main([]) == 0

    said = capsys.readouterr().out.splitlines()
    assert said[-3].startswith("FLAKY tests/e2e/a.py::one")
    assert said[-2].startswith("FLAKY tests/e2e/a.py::two")
    assert "11 passed" in said[-1]


def test_more_than_two_flaky_tests_fail_the_run(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    passing = Outcome(status=0, counts=Counter(passed=3))
    runs.walked += [_failing("tests/e2e/a.py::one", "tests/e2e/a.py::two", "tests/e2e/a.py::three"), passing]

    assert tests.main([]) == 1
    assert "3 flaky tests fail the run" in capsys.readouterr().out


def test_what_fails_twice_has_failed_and_is_not_called_flaky(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    runs.walked += [
        _failing("tests/e2e/a.py::one", "tests/e2e/a.py::two"),
        _failing("tests/e2e/a.py::one"),
    ]

    assert tests.main([]) == 1

    said = capsys.readouterr().out
    assert "FLAKY tests/e2e/a.py::two" in said
    assert "FLAKY tests/e2e/a.py::one" not in said


def test_the_vaults_tests_are_run_apart_and_measured_when_asked(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    runs.walked.append(Outcome(status=0, counts=Counter(passed=1)))
    monkeypatch.setenv("COVERAGE", "1")

    assert tests.main([]) == 0

    rest, measured, in_real_time = (asked for asked in runs.asked if asked[0] != "tests/e2e")
    assert "--ignore=tests/unit/vault" in rest
    assert "--cov" not in rest
    assert {"tests/unit/vault", "tests/integration/vault", "--cov"} <= set(measured)
    assert "--ignore=tests/integration/vault/phone/test_proof.py" in rest
    assert "--ignore=tests/integration/vault/phone/test_proof.py" in measured
    assert in_real_time[0] == "tests/integration/vault/phone/test_proof.py"


def test_a_floor_that_is_not_reached_fails_the_run(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COVERAGE", "1")
    passing = Outcome(status=0, counts=Counter(passed=1))
    runs.walked.append(passing)
    runs.other = Outcome(status=1, counts=Counter(passed=3))

    assert tests.main([]) == 1


def test_each_part_of_the_browser_tests_runs_in_a_process_of_its_own(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.walked += [Outcome(status=0, counts=Counter(passed=1))] * 2
    monkeypatch.setattr(tests, "_parts", lambda: ["walks", "real"])

    assert tests.main([]) == 0

    assert runs.asked.count(["tests/e2e"]) == 2
    assert any("--ignore=tests/e2e" in asked for asked in runs.asked)


def test_what_is_walked_on_real_engines_follows_what_is_measured_and_the_rest_of_the_walks_all_others(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.walked += [Outcome(status=0, counts=Counter(passed=1))] * 3
    monkeypatch.setattr(tests, "_parts", lambda: ["looks", "walks", "real"])
    monkeypatch.setenv("COVERAGE", "1")
    done: list[str] = []
    rest_may_end = threading.Event()

    def run(arguments: list[str], before: Sequence[str] = (), **environment: str) -> Outcome:
        what = environment.get("E2E_PART") or ("measured" if "--cov" in arguments else arguments[0])
        if what == "tests":
            assert rest_may_end.wait(10)
        done.append(what)
        if what == "real":
            rest_may_end.set()
        return runs.run(arguments, before)

    monkeypatch.setattr(tests, "run", run)

    assert tests.main([]) == 0

    assert done[:3] == ["measured", "real", "tests"]
    assert sorted(done[3:5]) == ["looks", "walks"]
    assert len(done) == 6


def test_a_part_that_has_no_browser_tests_starts_no_browser(runs: Runs) -> None:
    assert tests.main(["tests/unit/crm"]) == 0
    assert [asked[0] for asked in runs.asked] == ["tests/unit/crm"]
