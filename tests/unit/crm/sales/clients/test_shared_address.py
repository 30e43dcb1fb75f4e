"""A new client whose e-mail address is known already: said, with the way to the profile, and saved if meant so."""

from pathlib import Path

import pytest

from services.crm.sales.clients.service import ClientFilter
from tests.support.crm_paying import CrmHouse


@pytest.fixture
def crm(tmp_path: Path) -> CrmHouse:
    return CrmHouse(tmp_path)


def test_a_known_address_is_said_and_a_couple_may_share_it(crm: CrmHouse) -> None:
    browser = crm.browser(crm.maya)
    grace = crm.deps.sales.clients.get(crm.maya, crm.grace_id)
    typed = {"first_name": "Vincent", "last_name": "Hopper", "email": grace.email.upper()}

    def count() -> int:
        return crm.deps.sales.clients.list_page(crm.maya, ClientFilter(text="vincent"), 1).total

    asked = browser.post("/clients/new", typed)
    assert asked.status_code == 422
    assert f'href="/clients/{crm.grace_id}"' in asked.text
    assert 'value="Vincent"' in asked.text
    assert count() == 0
    assert browser.post("/clients/new", typed | {"all_the_same": "yes"}).status_code == 303
    assert count() == 1
    assert crm.browser(crm.jonas).post("/clients/new", typed).status_code == 303, "another agent's clients are not told"
