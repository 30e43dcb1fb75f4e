"""Callers: threads of separate processes that all do the same work at the same time, each timing its own operations.

A crew's processes are started anew (spawned, not forked), so that gRPC and TLS state is their own.
"""

import multiprocessing
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Protocol, Self

from tests.bench.figures import Span

_CONTEXT = multiprocessing.get_context("spawn")
_PATIENCE_SECONDS = 180.0
_HEAD_START_SECONDS = 0.05


class Caller(Protocol):
    """One caller's work. Everything runs on the caller's own thread."""

    def prepare(self, job: str, count: int) -> None:
        """Makes ready what `count` operations of the job need; not timed."""
        ...

    def step(self, job: str) -> None:
        """One operation; timed."""
        ...

    def close(self) -> None: ...


MakeCaller = Callable[[int], Caller]
"""Makes the caller with that number, on its thread. Must be picklable."""


class CrewFault(RuntimeError):
    """A caller failed; the text is what it said."""


@dataclass(slots=True)
class _Member:
    process: Any  # Any: multiprocessing's process of the spawn context
    pipe: "Connection[Any, Any]"


class Crew:
    """`callers` threads in `processes` processes. Use it in a `with` block."""

    def __init__(self, make: MakeCaller, *, callers: int, processes: int = 1) -> None:
        self.callers = callers
        shares = [len(range(number, callers, processes)) for number in range(processes)]
        self._members = [
            self._started(make, share, sum(shares[:number])) for number, share in enumerate(shares) if share
        ]
        for member in self._members:
            self._answer(member)

    @staticmethod
    def _started(make: MakeCaller, share: int, first: int) -> _Member:
        ours, theirs = _CONTEXT.Pipe()
        process = _CONTEXT.Process(target=_process, args=(theirs, make, share, first), daemon=True)
        process.start()
        theirs.close()
        return _Member(process, ours)

    def prepare(self, job: str, each: int) -> None:
        """Lets every caller make `each` operations ready."""
        self._ask(("prepare", job, each, 0.0))

    def go(self, job: str, each: int) -> list[Span]:
        """Lets all callers begin at the same moment and do `each` operations; gives all of them, timed."""
        answers = self._ask(("go", job, each, time.monotonic() + _HEAD_START_SECONDS))
        return [span for spans in answers for span in spans]

    @property
    def pids(self) -> list[int]:
        """The crew's processes."""
        return [member.process.pid for member in self._members]

    def _ask(self, what: tuple[str, str, int, float]) -> list[list[Span]]:
        for member in self._members:
            member.pipe.send(what)
        return [self._answer(member) for member in self._members]

    @staticmethod
    def _answer(member: _Member) -> list[Span]:
        try:
            if not member.pipe.poll(_PATIENCE_SECONDS):
                raise CrewFault("the callers did not finish in time")
            kind, value = member.pipe.recv()
        except EOFError:
            raise CrewFault("a process of callers died") from None
        if kind == "fault":
            raise CrewFault(value)
        spans: list[Span] = value
        return spans

    def close(self) -> None:
        for member in self._members:
            member.pipe.close()
        for member in self._members:
            member.process.join(10)
            if member.process.is_alive():
                member.process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _process(pipe: "Connection[Any, Any]", make: MakeCaller, share: int, first: int) -> None:
    """Serves the crew's orders until its end of the pipe closes."""
    pools = [ThreadPoolExecutor(max_workers=1) for _ in range(share)]
    callers: list[Caller] = []
    try:
        callers = [pool.submit(make, first + number).result() for number, pool in enumerate(pools)]
        pipe.send(("done", []))
        while True:
            verb, job, each, begin = pipe.recv()
            works = [
                pool.submit(_work, caller, verb, job, each, begin) for pool, caller in zip(pools, callers, strict=True)
            ]
            pipe.send(("done", [span for work in works for span in work.result()]))
    except (EOFError, KeyboardInterrupt):
        pass
    except Exception as error:  # whatever it is, the bench must say so and end
        with suppress(OSError):
            pipe.send(("fault", f"{type(error).__name__}: {error}"))
    finally:
        for pool, caller in zip(pools, callers, strict=False):
            pool.submit(caller.close).result(10)


def _work(caller: Caller, verb: str, job: str, each: int, begin: float) -> list[Span]:
    if verb == "prepare":
        caller.prepare(job, each)
        return []
    threading.Event().wait(max(0.0, begin - time.monotonic()))
    spans = []
    for _ in range(each):
        started = time.monotonic()
        caller.step(job)
        spans.append((started, time.monotonic()))
    return spans
