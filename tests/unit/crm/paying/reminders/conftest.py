from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.crm_site import CrmSite


@pytest.fixture
def site(tmp_path: Path) -> Iterator[CrmSite]:
    made = CrmSite(tmp_path)
    yield made
    made.close()
