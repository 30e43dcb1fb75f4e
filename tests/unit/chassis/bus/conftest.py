"""A world with its own SQLite file, and a clock to turn."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.bus import FakeBus, World
from tests.support.clock import FakeClock


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(f"sqlite:///{tmp_path}/world.db")
    yield made
    made.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def fake_bus() -> FakeBus:
    return FakeBus()
