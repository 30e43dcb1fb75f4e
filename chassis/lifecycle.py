"""How a worker process lives: a few loops, each on a thread, until it is told to stop or one of them dies."""

import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

import structlog

from chassis.backoff import grown, spread
from chassis.db import DATABASE_AWAY
from chassis.errors import Unavailable
from chassis.hardening import keep_memory_private

log = structlog.get_logger(__name__)

# A third of the share that a page's program gets.
_BEHIND_PAGES = 5
# Linux shares the processors first among sessions, and by nice values only within one (sched(7), "autogroup").
_SESSION_SHARE = Path("/proc/self/autogroup")

Loop = Callable[[threading.Event], None]


def run_until_stopped(loops: Sequence[tuple[str, Loop]], *, drain_seconds: float = 20.0) -> None:
    """Runs each named loop on a thread of its own; call it on the main thread.

    SIGTERM and SIGINT set the stop event; the loops finish the work in hand within `drain_seconds`. Returns after an
    orderly stop (exit 0). Raises SystemExit(1) when a loop died or did not drain: a supervisor then starts afresh,
    which is safe because every loop may be killed at any moment.
    """
    keep_memory_private()
    stop = threading.Event()
    failed = threading.Event()
    previous = {number: signal.signal(number, _stopper(stop)) for number in (signal.SIGTERM, signal.SIGINT)}
    threads = [
        threading.Thread(target=_guarded, args=(name, loop, stop, failed), name=name, daemon=True)
        for name, loop in loops
    ]
    try:
        for thread in threads:
            thread.start()
        log.info("worker.started", loops=[name for name, _ in loops])
        stop.wait()
        for thread in threads:
            thread.join(drain_seconds)
        stuck = [thread.name for thread in threads if thread.is_alive()]
        log.info("worker.stopped", failed=failed.is_set(), stuck=stuck)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    if failed.is_set() or stuck:
        sys.exit(1)


def give_way() -> None:
    """Lets the programs of pages go first where processors are short: for a worker whose work nobody sits waiting for.

    Call it before other threads begin; they inherit it. A session that is this process's own gives way as a whole;
    one that it shares, as with the shell that started it, is left alone.
    """
    os.nice(_BEHIND_PAGES)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):  # Not Linux, or /proc is read-only; in containers their own shares count.
            _SESSION_SHARE.write_text(str(_BEHIND_PAGES))


def forget_what_is_loaded() -> None:
    """Takes what there is now, modules and app above all, out of the garbage collector's sight; once all is loaded.

    It stays until the process ends, and looking through it held every request up for a tenth of a second now and then.
    """
    gc.collect()
    gc.freeze()


def every(seconds: float, action: Callable[[], object], name: str) -> Loop:
    """A loop that does `action` at once and then every `seconds` (give or take a tenth, so that replicas spread out).

    An action that raises is logged and tried again with growing pauses, at most ten times `seconds` or a minute: with
    its trace, unless what it needs is away or busy for a while (a service, or the database), which passes by itself.
    """

    def loop(stop: threading.Event) -> None:
        failures = 0
        while not stop.is_set():
            try:
                action()
                failures = 0
            except (Unavailable, *DATABASE_AWAY) as error:  # foreseen: what it needs is away for a while
                failures += 1
                cause = getattr(error, "orig", None) or error  # of a database, what its driver says
                log.warning("timer.waiting", timer=name, failures=failures, cause=type(cause).__name__)
            except Exception:
                failures += 1
                log.exception("timer.failed", timer=name, failures=failures)
            ceiling = max(seconds, min(seconds * 10, 60.0))
            stop.wait(spread(grown(seconds, failures, ceiling), least=0.9, most=1.1))

    return loop


def _stopper(stop: threading.Event) -> Callable[[int, FrameType | None], None]:
    def on_signal(_: int, __: FrameType | None) -> None:
        stop.set()

    return on_signal


def _guarded(name: str, loop: Loop, stop: threading.Event, failed: threading.Event) -> None:
    try:
        loop(stop)
        if stop.is_set():
            return
        log.error("worker.loop_ended", loop=name)
    except Exception:
        log.exception("worker.loop_died", loop=name)
    failed.set()
    stop.set()
