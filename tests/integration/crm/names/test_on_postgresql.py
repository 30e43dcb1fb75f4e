"""Names on PostgreSQL: sorted and found as on SQLite, and filled by the same upgrade."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.crm_site import CrmSite
from tests.unit.crm.sales.clients.test_names_in_order import (  # noqa: F401 - collected again, with this database
    test_a_list_by_name_is_in_the_order_people_expect_over_page_borders_too,
    test_an_upgrade_fills_keys_and_words_of_what_was_there,
    test_two_spellings_of_one_name_are_offered_to_each_other_for_a_merge,
)


@pytest.fixture
def site(tmp_path: Path, postgres_url: str) -> Iterator[CrmSite]:
    site = CrmSite(tmp_path, database_url=postgres_url)
    yield site
    site.deps.core.database.dispose()
