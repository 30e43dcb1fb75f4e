"""A list page asks the database as often for fifty rows as for five: no query per row (issue 4, 13)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.db import open_database
from services.crm.models import Base
from services.crm.parts import Dependencies
from services.crm_demo.large import import_large
from tests.bench.lists import count_queries, open_crm

# The most that any page may ask, for whom it asks most (issue 8, 6).
MOST = 15


@pytest.fixture
def deps(tmp_path: Path) -> Iterator[Dependencies]:
    url = f"sqlite:///{tmp_path}/crm.db"
    database = open_database(url, name="crm")
    Base.metadata.create_all(database.engine)
    database.dispose()
    made = open_crm(url)
    yield made
    made.core.database.dispose()


def _queries(deps: Dependencies, clients: int) -> dict[tuple[str, str], int]:
    made = import_large(deps, clients=clients, payments=clients * 5)
    people = {"agent": made.busiest_agent_id, "admin": made.admin_id}
    return {
        (who, page): count for who, agent_id in people.items() for page, count in count_queries(deps, agent_id).items()
    }


# Some two hundred pages: more than a minute on a busy machine, which the usual limit of a test does not allow.
@pytest.mark.timeout(400)
def test_no_page_asks_more_for_more_rows(deps: Dependencies) -> None:
    few, many = _queries(deps, 80), _queries(deps, 300)
    too_many = {page: count for page, count in many.items() if count > MOST}
    assert too_many == {}
    # A part that was empty with few rows may ask once or twice for what it now has.
    assert {page: (few[page], count) for page, count in many.items() if count - few[page] > 6} == {}


def test_the_large_agency_is_made_once_and_taken_up_where_it_stopped(deps: Dependencies) -> None:
    assert import_large(deps, clients=60, payments=300).payments == 300
    again = import_large(deps, clients=60, payments=300)
    assert (again.clients, again.payments) == (60, 300)
    assert import_large(deps, clients=90, payments=450).payments == 450
