from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.portal import PortalWorld


@pytest.fixture
def world(tmp_path: Path) -> Iterator[PortalWorld]:
    made = PortalWorld(tmp_path)
    yield made
    made.close()
