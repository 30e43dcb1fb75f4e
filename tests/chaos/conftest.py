"""What the chaos tests share: a word to who waits, since they take minutes."""

from collections.abc import Callable

import pytest

Say = Callable[[str], None]


@pytest.fixture
def say(request: pytest.FixtureRequest) -> Say:
    """Writes a line to the terminal, how far a long test is."""
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")

    def written(text: str) -> None:
        if reporter is not None:
            reporter.write_line(f"  {text}")

    return written
