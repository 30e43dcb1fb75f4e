"""A worker process stops when told to, and dies when one of its loops does."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg.errors
import pytest
from prometheus_client import generate_latest
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from structlog.testing import capture_logs

from chassis.errors import Unavailable
from chassis.lifecycle import every, run_until_stopped
from chassis.telemetry import span, traceparent


def _wait(stop: threading.Event) -> None:
    stop.wait()


def test_who_gives_way_does_so_with_every_thread_that_follows() -> None:
    told = (
        "import os, threading; from chassis.lifecycle import give_way\n"
        "before = os.nice(0); give_way()\n"
        "def tell(): print(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) > before)\n"
        "thread = threading.Thread(target=tell); thread.start(); thread.join()"
    )
    said = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert said.stdout == "True\n"


_SHARE = Path("/proc/self/autogroup")


@pytest.mark.skipif(not _SHARE.exists(), reason="this kernel shares processors by nice values alone")
@pytest.mark.parametrize("own", [True, False], ids=["own session", "shared session"])
def test_only_a_session_of_its_own_gives_way_as_a_whole(own: bool) -> None:
    told = (
        "import os; from pathlib import Path; from chassis.lifecycle import give_way\n"
        # Of a session as old as the machine Linux tells no share.
        "share = lambda: Path('/proc/self/autogroup').read_text()\n"
        "before = share(); give_way(); print(share() != before)"
    )
    said = subprocess.run(
        [sys.executable, "-c", told], capture_output=True, text=True, check=True, start_new_session=own
    )
    assert said.stdout == f"{own}\n"


def test_a_signal_stops_every_loop_and_the_process_ends_well() -> None:
    drained = []

    def loop(stop: threading.Event) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        stop.wait()
        drained.append("drained")

    run_until_stopped([("one", loop), ("two", _wait)])
    assert drained == ["drained"]


def _raise(_: threading.Event) -> None:
    raise RuntimeError("broken")


@pytest.mark.parametrize("bad", [_raise, lambda stop: None])
def test_a_loop_that_dies_or_ends_takes_the_process_with_it(bad: Callable[[threading.Event], None]) -> None:
    others = []

    def good(stop: threading.Event) -> None:
        stop.wait()
        others.append("drained")

    with pytest.raises(SystemExit) as end:
        run_until_stopped([("bad", bad), ("good", good)])
    assert end.value.code == 1
    assert others == ["drained"]


def test_a_loop_that_does_not_drain_is_left_behind_with_status_one() -> None:
    never = threading.Event()

    def stuck(stop: threading.Event) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        never.wait(30)

    with pytest.raises(SystemExit) as end:
        run_until_stopped([("stuck", stuck)], drain_seconds=0.05)
    assert end.value.code == 1
    never.set()


def test_the_signal_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM)

    def loop(stop: threading.Event) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        stop.wait()

    run_until_stopped([("one", loop)])
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_timer_goes_on_after_a_failure() -> None:
    stop = threading.Event()
    calls: list[int] = []

    def action() -> None:
        calls.append(len(calls))
        if len(calls) == 1:
            raise RuntimeError
        if len(calls) == 3:
            stop.set()

    every(0.001, action, "tick")(stop)
    assert calls == [0, 1, 2]


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (Unavailable(), "Unavailable"),
        (OperationalError("BEGIN IMMEDIATE", None, sqlite3.OperationalError("database is locked")), "OperationalError"),
        (OperationalError("SELECT 1", None, psycopg.errors.LockNotAvailable()), "LockNotAvailable"),
        (PoolTimeout("another thread of this process has been writing for too long"), "TimeoutError"),
    ],
    ids=["a service", "SQLite's write lock", "PostgreSQL's lock", "a connection"],
)
def test_a_timer_waits_for_what_is_away_and_writes_no_trace(error: Exception, cause: str) -> None:
    stop, calls = threading.Event(), [0]

    def action() -> None:
        calls[0] += 1
        if calls[0] == 1:
            raise error
        stop.set()

    with capture_logs() as written:
        every(0.001, action, "tick")(stop)
    assert [(entry["event"], entry["log_level"], entry["cause"]) for entry in written] == [
        ("timer.waiting", "warning", cause)
    ]
    assert "exc_info" not in written[0]


def test_a_trace_is_kept_within_its_block_and_a_malformed_one_is_replaced() -> None:
    given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with span("work", parent=given):
        assert traceparent() == given
    assert traceparent() != given
    for malformed in (None, "", "00-" + "0" * 32 + "-b7ad6b7169203331-01", f"{given}\nx"):
        with span("work", parent=malformed):
            made = traceparent()
            assert made not in (malformed, given)
            assert traceparent() == made


def test_the_buses_metrics_are_among_those_that_are_shown() -> None:
    import chassis.bus  # noqa: F401

    text = generate_latest().decode()
    for name in ("wayvault_outbox_depth", "wayvault_outbox_lag_seconds", "wayvault_consumer_lag_seconds"):
        assert name in text
    assert "wayvault_dead_letters" in text
