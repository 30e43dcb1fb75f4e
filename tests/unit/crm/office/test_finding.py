"""C17: one search over everything that an agent has, and what can be done."""

import pytest
from sqlalchemy import update

from services.crm.office.finding.rules import ACTIONS, matching
from services.crm.paying.payments.models import PaymentRow
from services.crm.sales.suppliers.rules import SupplierData
from tests.support.crm_paying import CrmHouse


@pytest.fixture
def payment_id(crm: CrmHouse) -> str:
    crm.deps.sales.suppliers.add(crm.maya, SupplierData(name="Aurora Cruises"))
    payment_id = crm.requested()
    with crm.deps.core.database.transaction() as session:
        session.execute(update(PaymentRow).values(confirmation_number="AUR-8114"))
    return payment_id


def test_one_search_finds_each_thing_by_what_it_is_known_by(crm: CrmHouse, payment_id: str) -> None:
    find = crm.deps.office.finder.find
    by_name = find(crm.maya, "grace hop")
    assert [client.id for client in by_name.clients] == [crm.grace_id]
    assert [booking.id for booking in by_name.bookings] == [crm.booking_id]
    assert [payment.id for payment in by_name.payments] == [payment_id]
    by_supplier = find(crm.maya, "aurora")
    assert [supplier.name for supplier in by_supplier.suppliers] == ["Aurora Cruises"]
    assert [booking.id for booking in by_supplier.bookings] == [crm.booking_id]
    assert [payment.id for payment in find(crm.maya, "aur-8114").payments] == [payment_id]
    assert [action.label for action in find(crm.maya, "new boo").actions] == ["New booking"]
    assert find(crm.maya, "").is_empty
    assert find(crm.maya, "zzzzqq").is_empty


def test_agents_find_only_what_is_theirs(crm: CrmHouse, payment_id: str) -> None:
    for text in ("grace", "hopper", "AUR-8114", "norwegian"):
        found = crm.deps.office.finder.find(crm.jonas, text)
        assert [*found.clients, *found.bookings, *found.payments] == [], text
    assert [payment.id for payment in crm.deps.office.finder.find(crm.ada, "AUR-8114").payments] == [payment_id]
    assert not matching("agency", is_admin=False)
    assert [action.label for action in matching("agency", is_admin=True)] == ["Agency"]


def test_every_action_leads_somewhere(crm: CrmHouse) -> None:
    endpoints = set(crm.browser(crm.maya).app.view_functions)
    assert {action.endpoint for action in ACTIONS} <= endpoints


def test_the_list_is_a_listbox_and_without_scripts_a_page(crm: CrmHouse, payment_id: str) -> None:
    browser = crm.browser(crm.maya)
    options = browser.get("/find?q=hopper", headers={"HX-Request": "true"}).text
    assert 'role="listbox"' in options
    assert options.count('role="option"') == 3
    assert "<html" not in options
    page = browser.get("/find?q=hopper").text
    assert 'role="combobox"' in page
    assert f'href="/payments/{payment_id}"' in page
    assert "Nothing matches" in browser.get("/find?q=zzzzqq").text
    assert browser.get("/find?q=zzzzqq", headers={"HX-Request": "true"}).text.count("Nothing matches") == 1
    assert browser.get("/find").status_code == 200
