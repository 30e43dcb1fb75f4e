"""Payments by phone on PostgreSQL: the same upgrade, the same report."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.crm_paying import CrmHouse
from tests.unit.crm.paying.test_phone import (  # noqa: F401 - collected again, with this database
    test_a_keyed_card_is_a_pending_payment_like_any_other_marked_by_phone,
    test_how_a_session_ended_is_recorded_once,
    test_the_report_is_an_agents_own_and_an_admins_agencys,
)
from tests.unit.crm.paying.test_phone_migration import (  # noqa: F401 - as above
    test_payments_of_before_are_not_by_phone_and_can_be_taken_by_it,
)


@pytest.fixture
def crm(tmp_path: Path, postgres_url: str) -> Iterator[CrmHouse]:
    house = CrmHouse(tmp_path, database_url=postgres_url)
    yield house
    house.deps.core.database.dispose()
