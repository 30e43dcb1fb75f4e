"""Time that passes as soon as it is asked for, so that work that takes no time looks long."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from chassis import progress


class Hurry:
    """The first so many waits of each piece of work are over at once; then it is waited for."""

    def __init__(self, waits: int) -> None:
        self._waits = waits
        self._left: dict[threading.Event, int] = {}
        self._passed = 0.0

    def now(self) -> float:
        return self._passed

    def wait(self, done: threading.Event, seconds: float) -> bool:
        left = self._left.setdefault(done, self._waits)
        if not left:
            return done.wait(60)
        self._left[done] = left - 1
        self._passed += seconds
        return False


@contextmanager
def in_a_hurry(waits: int = 1) -> Iterator[None]:
    """Everything that tells of itself seems to take long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress, "pace", Hurry(waits))
        yield
