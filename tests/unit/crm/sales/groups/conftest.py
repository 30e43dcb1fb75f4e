from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.crm_paying import CrmHouse


@pytest.fixture
def crm(tmp_path: Path) -> Iterator[CrmHouse]:
    house = CrmHouse(tmp_path)
    yield house
    house.deps.core.database.dispose()
