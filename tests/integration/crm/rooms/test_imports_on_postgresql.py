"""Companies, households and similar rows of imports on PostgreSQL: the same as on SQLite."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.crm_paying import CrmHouse
from tests.unit.crm.sales.groups.test_groups import (  # noqa: F401 - collected again, with this database
    test_a_merged_client_belongs_wherever_one_of_the_two_did,
    test_an_import_makes_what_is_new_adds_to_what_is_there_and_its_undo_takes_both_back,
    test_the_pages_add_find_show_change_and_remove,
)
from tests.unit.crm.sales.importing.test_similar import (  # noqa: F401 - collected again, with this database
    test_an_undo_takes_back_field_by_field_and_names_what_somebody_changed_since,
    test_one_decision_for_all_that_differ_in_the_same_fields,
)


@pytest.fixture
def crm(tmp_path: Path, postgres_url: str) -> Iterator[CrmHouse]:
    house = CrmHouse(tmp_path, database_url=postgres_url)
    yield house
    house.deps.core.database.dispose()
