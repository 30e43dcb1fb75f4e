"""A command that takes long says so: what it is at, and for how long already.

Lines go to standard error, so that what a script reads on standard output stays as it is.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, Protocol, TextIO

# Whoever waits longer without a word thinks that nothing goes on.
FIRST_SECONDS: Final = 2.0
AGAIN_SECONDS: Final = 5.0


class Pace(Protocol):
    """How time passes: the system's, or a test's."""

    def now(self) -> float:
        """Seconds since some moment."""
        ...

    def wait(self, done: threading.Event, seconds: float) -> bool:
        """Whether it was done within so many seconds."""
        ...


class _System:
    def now(self) -> float:
        return time.monotonic()

    def wait(self, done: threading.Event, seconds: float) -> bool:
        return done.wait(seconds)


pace: Pace = _System()


class Work:
    """What is going on, in words that change as it goes on."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._part: Callable[[], str] = str
        # Work within it that tells of itself.
        self.inner = 0

    def at(self, part: Callable[[], str]) -> None:
        """What it is at from now on, or how far; asked for each line."""
        self._part = part

    def line(self, seconds: float) -> str:
        """After so many seconds, for who waits."""
        part = self._part()
        return f"  {self._what}{': ' if part else ''}{part}, {seconds:.0f} s so far"


_present: ContextVar[Work | None] = ContextVar("present work", default=None)


@contextmanager
def at_work(what: str, *, out: TextIO | None = None) -> Iterator[Work]:
    """Says after two seconds, and every five from then on, that it is still going on; quick work says nothing.

    Of work within work only the inner one speaks.
    """
    work, done, began, passing, around = Work(what), threading.Event(), pace.now(), pace, _present.get()

    def tell() -> None:
        due = FIRST_SECONDS
        while not passing.wait(done, due):
            if not work.inner:
                print(work.line(passing.now() - began), file=out or sys.stderr, flush=True)
            due = AGAIN_SECONDS

    teller = threading.Thread(target=tell, name="progress", daemon=True)
    token = _present.set(work)
    if around is not None:
        around.inner += 1
    teller.start()
    try:
        yield work
    finally:
        done.set()
        teller.join()
        _present.reset(token)
        if around is not None:
            around.inner -= 1
