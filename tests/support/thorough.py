"""How much tests try of what could be tried without end: all of it where engines are demanded (CI), else a part.

THOROUGH=no tries a part there too, as the CI does on a machine that would need more than half an hour.
"""

import os
from collections.abc import Sequence
from typing import Final, TypeVar

from tests.support import engines

T = TypeVar("T")

THOROUGH: Final = engines.required() and os.environ.get("THOROUGH", "yes") != "no"


def examples(most: int) -> int:
    """How many of a law that is tried on so many where all is tried."""
    return most if THOROUGH else max(1, most * 2 // 5)


def a_third(things: Sequence[T], number: int) -> Sequence[T]:
    """All of them where all is tried; else a third, another with each `number`, so that three neighbours try all."""
    return things if THOROUGH else things[number % 3 :: 3]
