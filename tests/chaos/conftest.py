"""What the chaos tests share: a word to who waits, since they take minutes."""

from collections.abc import Callable

import pytest

Say = Callable[[str], None]


@pytest.fixture
def say(capfd: pytest.CaptureFixture[str]) -> Say:
    """Writes a line to the terminal, how far a long test is."""

    def written(text: str) -> None:
        with capfd.disabled():
            print(f"\n  {text}", end="", flush=True)

    return written
