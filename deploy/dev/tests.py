"""Runs the test suite as `make test` does, side by side what can run so, and counts at the end.

    python -m deploy.dev.tests [path …]

The browser tests are run in parts (tests/e2e/conftest.py), each with one system and one browser: two on embedded
engines, one on real ones. Of embedded engines alone, they run beside all others, for they wait more than they work.
Chaos, bench, compose and upgrade are left out unless their
folder is named. COVERAGE=1 measures which branches of the vault its own tests go (pyproject.toml, [tool.coverage]) and
fails the run below the floor that stands there.
"""

import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from deploy.dev.state import State

_OUTCOME = re.compile(r"(\d+) (passed|failed|errors?|skipped|xfailed|deselected)")
# pytest's short summary at the end of a run.
_FAILED = re.compile(r"(?:FAILED|ERROR) (tests/\S+)")
_TESTS_FAILED = 1
_NO_TESTS_COLLECTED = 5
# Whole systems in browsers.
_WHOLE: Final = "tests/e2e"
# A browser test's patience is measured in seconds, so what runs beside gives way to it.
_GIVING_WAY: Final = ("nice", "-n", "5")
# A run with more tests than this that failed at first and passed when they were tried again has failed.
_MOST_FLAKY = 2
# What tries the vault: with COVERAGE=1 run apart and measured. Measuring all would make all tests half as slow again.
_MEASURED = (
    "tests/unit/vault",
    "tests/integration/vault",
    "tests/integration/frame",
    "tests/integration/engines",
    "tests/contract/transit",
)
# Calls in real time: measured, or beside browsers, they would come too late for the clock they are played by.
_REAL_TIME: Final = "tests/integration/vault/phone/test_proof.py"
_WORKERS = str(os.cpu_count() or 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    status: int
    counts: Counter[str]
    failed: tuple[str, ...] = ()
    # What failed at first and passed when it was tried again.
    flaky: tuple[str, ...] = ()


def run(arguments: list[str], before: Sequence[str] = (), **environment: str) -> Outcome:
    """Runs pytest, shows what it says, and reads its closing line. `before`: what starts it, as `nice` does."""
    process = subprocess.Popen(
        [*before, sys.executable, "-m", "pytest", "-q", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        errors="replace",
        env=os.environ | environment,
    )
    counts: Counter[str] = Counter()
    failed: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        print(line, end="", flush=True)
        if one := _FAILED.match(line):
            failed.append(one[1])
        found = _OUTCOME.findall(line)
        if found and " in " in line:
            counts = Counter({name.removesuffix("s") if name == "errors" else name: int(n) for n, name in found})
    return Outcome(status=process.wait(), counts=counts, failed=tuple(failed))


def run_browsers(paths: list[str], part: str) -> Outcome:
    """Runs one part of the browser tests; what fails is tried once more on a fresh system, and that is said.

    A whole system in browsers on a busy machine may miss a test's patience once; a real fault fails twice.
    """
    first = run(paths, E2E_PART=part)
    if first.status != _TESTS_FAILED or not first.failed:
        return first
    print(f"==== browser tests, {part}: {len(first.failed)} failed, tried once more ====", flush=True)
    again = run([*first.failed], E2E_PART=part)
    flaky = tuple(name for name in first.failed if name not in again.failed)
    return Outcome(
        status=again.status,
        counts=again.counts + Counter({"passed": first.counts["passed"]}),
        failed=again.failed,
        flaky=flaky if again.status in (0, _TESTS_FAILED) else (),
    )


def main(arguments: list[str] | None = None) -> int:
    paths = (sys.argv[1:] if arguments is None else arguments) or ["tests"]
    left_out = [
        f"--ignore=tests/{folder}"
        for folder in ("chaos", "bench", "compose", "upgrade")
        if not any(path.startswith(f"tests/{folder}") for path in paths)
    ]
    started = time.monotonic()
    outcomes = _outcomes(paths, left_out)
    total = sum((outcome.counts for outcome in outcomes), Counter[str]())
    told = ", ".join(f"{count} {name}" for name, count in sorted(total.items()) if name != "deselected")
    flaky = [name for outcome in outcomes for name in outcome.flaky]
    for line in said_of_flaky(flaky):
        print(line)
    print(f"==== all tests: {told or 'none'} in {time.monotonic() - started:.0f} s ====")
    statuses = [outcome.status for outcome in outcomes if outcome.status != _NO_TESTS_COLLECTED]
    return max(*statuses, _TESTS_FAILED) if len(flaky) > _MOST_FLAKY else max(statuses, default=_NO_TESTS_COLLECTED)


def _outcomes(paths: list[str], left_out: list[str]) -> list[Outcome]:
    """All that there is to run, the browsers beside the rest; whatever plays calls in real time comes after them.

    Whole systems on both kinds of engines keep the processors busy by themselves: those on embedded engines come after
    the rest then, and the one on real engines takes the place of what is measured as soon as that is done.
    """
    everything = paths == ["tests"]
    options = [path for path in paths if path.startswith("-")]
    walks = [_WHOLE] if everything else [path for path in paths if path.startswith(_WHOLE)]
    others = [path for path in paths if path not in (*walks, *options)]
    browsers = _parts() if walks else []
    before = _GIVING_WAY if browsers else ()
    side_by_side = [*options, "-n", os.environ.get("TEST_WORKERS", _WORKERS)]
    if side_by_side[-1] != "0":
        # A file stays together and in its order: a module's fixtures are made once, and no test meets another order
        # in CI than at one's desk.
        side_by_side += ["--dist", "loadfile"]
    if everything:
        left_out = [*left_out, f"--ignore={_WHOLE}", f"--ignore={_REAL_TIME}"]
    measured = _MEASURED if os.environ.get("COVERAGE") and everything else ()
    apart = [f"--ignore={folder}" for folder in measured]

    def walk(part: str) -> list[Outcome]:
        return [run_browsers([*walks, *options], part)]

    def measure() -> list[Outcome]:
        # They wait for clocks and programs half of their time.
        covered = [f"--ignore={_REAL_TIME}", "--cov", "--cov-report=term:skip-covered"]
        outcome = run([*measured, *covered, *side_by_side], before)
        return [outcome, *(walk("real") if "real" in browsers else [])]

    with ThreadPoolExecutor() as pool:
        rest = [pool.submit(lambda: [run([*others, *left_out, *apart, *side_by_side], before)])] if others else []
        rest += [pool.submit(measure)] if measured else []
        walked = [part for part in browsers if part != "real" or not measured]
        if "real" in browsers and rest:
            rest[0].result()
        rest += [pool.submit(walk, part) for part in walked]
        outcomes = [outcome for part in rest for outcome in part.result()]
    if everything:
        outcomes.append(run([_REAL_TIME, *side_by_side]))
    return outcomes


def _parts() -> list[str]:
    """The parts of the browser tests: on real engines too where they run here, or are demanded."""
    known = (State.from_environment().engines / "engines.env").exists() or "WAYVAULT_POSTGRES_ADMIN_URL" in os.environ
    return ["looks", "walks", "real"] if known or os.environ.get("ENGINES") == "required" else ["looks", "walks"]


def said_of_flaky(flaky: Sequence[str]) -> list[str]:
    """The lines before the closing one that name each flaky test, and say when there are too many."""
    lines = [f"FLAKY {name}: failed at first, passed when it was tried again" for name in flaky]
    if len(flaky) > _MOST_FLAKY:
        lines.append(f"{len(flaky)} flaky tests fail the run: at most {_MOST_FLAKY} may need a second try.")
    return lines


if __name__ == "__main__":
    sys.exit(main())
