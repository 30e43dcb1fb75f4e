from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.crm_paying import CrmHouse
from tests.support.crm_site import CrmSite


@pytest.fixture
def site(tmp_path: Path) -> Iterator[CrmSite]:
    made = CrmSite(tmp_path)
    yield made
    made.close()


@pytest.fixture
def crm(tmp_path: Path) -> Iterator[CrmHouse]:
    house = CrmHouse(tmp_path)
    yield house
    house.deps.core.database.dispose()
