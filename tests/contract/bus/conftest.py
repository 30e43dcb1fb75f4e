"""Both buses, behind one fixture."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.bus import Bus, open_bus
from tests.support.bus import rabbit_tls


@pytest.fixture(params=["embedded", "rabbitmq"])
def bus_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "embedded":
        return f"embedded:///{tmp_path}/bus.db"
    return str(request.getfixturevalue("rabbit_url"))


@pytest.fixture
def bus(bus_url: str) -> Iterator[Bus]:
    opened = open_bus(bus_url, service="tests", tls=rabbit_tls())
    yield opened
    opened.close()


@pytest.fixture
def service(bus_url: str) -> str:
    """A queue of its own for each test, since a broker outlives it."""
    return f"test_{uuid.uuid4().hex[:12]}"
