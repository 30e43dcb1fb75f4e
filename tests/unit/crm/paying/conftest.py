"""The CRM with fakes around it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.crm_charging import FakeCharging
from tests.support.crm_paying import CrmHouse


@pytest.fixture
def gateway() -> FakeCharging:
    """Who asks for it has an agency that charges by itself; a file of such tests says `usefixtures("gateway")`."""
    return FakeCharging()


@pytest.fixture
def crm(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[CrmHouse]:
    asked = "gateway" in request.fixturenames
    house = CrmHouse(tmp_path, charging=request.getfixturevalue("gateway") if asked else None)
    yield house
    house.deps.core.database.dispose()
