"""Runs the test suite as `make test` does, side by side what can run so, and counts at the end.

    python -m deploy.dev.tests [path …]

Chaos, bench, compose and upgrade are left out unless their folder is named. COVERAGE=1 measures which branches of the
vault its own tests go (pyproject.toml, [tool.coverage]) and fails the run below the floor that stands there.
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

_OUTCOME = re.compile(r"(\d+) (passed|failed|errors?|skipped|xfailed|deselected)")
# pytest's short summary at the end of a run.
_FAILED = re.compile(r"(?:FAILED|ERROR) (tests/\S+)")
_TESTS_FAILED = 1
_NO_TESTS_COLLECTED = 5
# Whole systems in browsers: after all other tests, in parts side by side, each with a system of its own.
_WHOLE = "e2e"
_PARTS = 2
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
# Calls in real time: measured, they would come too late for the clock they are played by.
_UNMEASURED = "--ignore=tests/integration/vault/phone/test_proof.py"
# One more than there are processors: some tests wait for what runs beside them.
_WORKERS = str((os.cpu_count() or 1) + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    status: int
    counts: Counter[str]
    failed: tuple[str, ...] = ()
    # What failed at first and passed when it was tried again.
    flaky: tuple[str, ...] = ()


def run(arguments: list[str], **environment: str) -> Outcome:
    """Runs pytest, shows what it says, and reads its closing line."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", *arguments],
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


def run_share(arguments: list[str], share: str) -> Outcome:
    """Runs one part of the browser tests; what fails is tried once more on a fresh system, and that is said.

    A whole system in browsers on a busy machine may miss a test's patience once; a real fault fails twice.
    """
    first = run(arguments, E2E_SHARE=share)
    if first.status != _TESTS_FAILED or not first.failed:
        return first
    print(f"==== part {share}: {len(first.failed)} failed, tried once more ====", flush=True)
    # All parts' tests are there to choose from: which part a test is in depends on what else was collected.
    again = run([*first.failed, "-m", _WHOLE], E2E_SHARE="1/1")
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
    side_by_side = ["-m", f"not {_WHOLE}", "-n", os.environ.get("TEST_WORKERS", _WORKERS)]
    measured = _MEASURED if os.environ.get("COVERAGE") and paths == ["tests"] else ()
    outcomes = [run([*paths, *left_out, *(f"--ignore={folder}" for folder in measured), *side_by_side])]
    if measured:
        outcomes.append(run([*measured, _UNMEASURED, *side_by_side, "--cov", "--cov-report=term:skip-covered"]))
        outcomes.append(run([_UNMEASURED.partition("=")[2], *side_by_side]))
    with ThreadPoolExecutor(_PARTS) as pool:
        shares = [f"{number}/{_PARTS}" for number in range(1, _PARTS + 1)]
        outcomes += pool.map(lambda share: run_share([*paths, *left_out, "-m", _WHOLE], share), shares)
    total = sum((outcome.counts for outcome in outcomes), Counter[str]())
    told = ", ".join(f"{count} {name}" for name, count in sorted(total.items()) if name != "deselected")
    flaky = [name for outcome in outcomes for name in outcome.flaky]
    for line in said_of_flaky(flaky):
        print(line)
    print(f"==== all tests: {told or 'none'} in {time.monotonic() - started:.0f} s ====")
    statuses = [outcome.status for outcome in outcomes if outcome.status != _NO_TESTS_COLLECTED]
    return max(*statuses, _TESTS_FAILED) if len(flaky) > _MOST_FLAKY else max(statuses, default=_NO_TESTS_COLLECTED)


def said_of_flaky(flaky: Sequence[str]) -> list[str]:
    """The lines before the closing one that name each flaky test, and say when there are too many."""
    lines = [f"FLAKY {name}: failed at first, passed when it was tried again" for name in flaky]
    if len(flaky) > _MOST_FLAKY:
        lines.append(f"{len(flaky)} flaky tests fail the run: at most {_MOST_FLAKY} may need a second try.")
    return lines


if __name__ == "__main__":
    sys.exit(main())
