"""Threads for calls, and a few more to say no in our own words when too many wait.

gRPC's own limit answers RESOURCE_EXHAUSTED without a detail; a caller then can't tell it from a message too large.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

OVERLOADED: Final = "The card vault is busy. Nothing was used up; please try again in a moment."
_REFUSERS: Final = 2
_here = threading.local()


class SheddingPool(ThreadPoolExecutor):
    """Runs `max_workers` calls at a time and lets `most_waiting` wait; the next are run where they are refused."""

    def __init__(self, *, max_workers: int, most_waiting: int) -> None:
        super().__init__(max_workers=max_workers, thread_name_prefix="rpc")
        self._most_waiting = most_waiting
        self._refusers = ThreadPoolExecutor(_REFUSERS, thread_name_prefix="rpc-busy", initializer=_refuse_here)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        if self._work_queue.qsize() >= self._most_waiting:
            return self._refusers.submit(fn, *args, **kwargs)
        return super().submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._refusers.shutdown(wait, cancel_futures=cancel_futures)
        super().shutdown(wait, cancel_futures=cancel_futures)


def must_refuse() -> bool:
    """Whether the call at hand is one too many."""
    return bool(getattr(_here, "refuses", False))


def _refuse_here() -> None:
    _here.refuses = True
