"""A service's database on both engines."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.bus import World


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/world.db"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    made = World(database_url)
    yield made
    made.close()
