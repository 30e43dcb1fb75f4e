"""Merges beside everything else on PostgreSQL, where transactions really overlap (on SQLite one writes at a time)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.crm_paying import CrmHouse
from tests.unit.crm.sales.merging.test_merging import (  # noqa: F401 - collected here again, with this module's database
    test_a_merge_beside_authorizations_and_new_payments_loses_nothing,
    test_everything_follows_and_the_old_profile_points_to_the_new,
    test_of_two_merges_at_once_each_is_whole_or_refused_and_nothing_is_lost,
    test_what_was_written_under_the_old_id_after_the_merge_follows_soon,
)


@pytest.fixture
def crm(tmp_path: Path, postgres_url: str) -> Iterator[CrmHouse]:
    house = CrmHouse(tmp_path, database_url=postgres_url)
    yield house
    house.deps.core.database.dispose()
