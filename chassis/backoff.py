"""How long to wait before something that failed is tried again: the one rule of every loop, timer and queue."""

import random
from datetime import timedelta
from typing import TypeVar

_Pause = TypeVar("_Pause", float, timedelta)
# Doubled so often a second is most of a day; what waits longer says so by `longest`.
_MOST_DOUBLINGS = 16


def grown(first: _Pause, failures: int, longest: _Pause) -> _Pause:
    """`first`, doubled with each of `failures`, and never more than `longest`."""
    return min(first * 2.0 ** min(max(failures, 0), _MOST_DOUBLINGS), longest)


def spread(seconds: float, *, least: float = 0.5, most: float = 1.0) -> float:
    """A random share of a pause, so that many who failed together don't come back together."""
    return seconds * random.uniform(least, most)
