"""C16: the agency's directory of suppliers, and where it helps."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.cards import Brand
from chassis.errors import InvalidArgument, NotFound
from chassis.ids import new_id
from chassis.typed.web_addresses import read_page
from protos.wayvault.events.v1.events_pb2 import PaymentLinkIssued
from services.crm.core.errors import ChangedMeanwhile
from services.crm.sales.suppliers.rules import BRANDS, SupplierData, packed, read_percent, unpacked
from tests.support.crm_paying import CrmHouse

AURORA = SupplierData(
    name="Aurora Cruises",
    phone="+1 305 555 0142",
    payment_page="https://pay.aurora.example/agents",
    brands=(Brand.MASTERCARD, Brand.AMEX),
    commission_points=12_50,
    note="Ask for Lars.",
)


def test_the_directory_is_the_whole_agencys_and_nobody_elses(crm: CrmHouse) -> None:
    suppliers = crm.deps.sales.suppliers
    made = suppliers.add(crm.maya, AURORA)
    assert suppliers.get(crm.jonas, made.id).data == AURORA
    changed = suppliers.change(crm.ada, made.id, SupplierData(name="Aurora"), version=made.version)
    with pytest.raises(ChangedMeanwhile):
        suppliers.change(crm.jonas, made.id, AURORA, version=made.version)
    assert suppliers.names(crm.maya) == ["Aurora"]
    stranger = replace(crm.ada, agency_id=new_id("agency"))
    assert suppliers.list_page(stranger, "", 1).total == 0
    assert suppliers.of_names(stranger, ["Aurora"]) == {}
    with pytest.raises(NotFound):
        suppliers.get(stranger, made.id)
    with pytest.raises(NotFound):
        suppliers.change(stranger, made.id, AURORA, version=changed.version)
    with pytest.raises(NotFound):
        suppliers.remove(stranger, made.id)
    suppliers.remove(crm.jonas, made.id)
    assert suppliers.list_page(crm.maya, "", 1).total == 0


def test_one_name_stands_once_however_it_is_spelled(crm: CrmHouse) -> None:
    suppliers = crm.deps.sales.suppliers
    suppliers.add(crm.maya, AURORA)
    with pytest.raises(InvalidArgument, match="of this name already"):
        suppliers.add(crm.jonas, SupplierData(name="  AURORA  Crúises"))
    assert suppliers.of_names(crm.maya, ["aurora cruises"])["aurora cruises"].data == AURORA
    answer = crm.browser(crm.maya).post("/suppliers/new", {"name": "Aurora Cruises"})
    assert answer.status_code == 422
    assert "of this name already" in answer.text


def test_what_cannot_be_right_is_said_at_its_field_and_stays(crm: CrmHouse) -> None:
    wrong = {"name": "Fjord Line", "payment_page": "javascript:alert(1)", "commission": "a lot", "phone": "ask"}
    answer = crm.browser(crm.maya).post("/suppliers/new", wrong)
    assert answer.status_code == 422
    for words in ("begins with https://", "percentage from 0 to 100", "a lot", "Fjord Line"):
        assert words in answer.text
    assert crm.deps.sales.suppliers.names(crm.maya) == []


def test_a_supplier_is_added_changed_and_removed_in_the_browser(crm: CrmHouse) -> None:
    browser = crm.browser(crm.maya)
    typed: dict[str, object] = {
        "name": "Fjord Line",
        "payment_page": "pay.fjord.example",
        "commission": "12,5 %",
        "brands": ["visa", "jcb"],
    }
    assert browser.post("/suppliers/new", typed).status_code == 303
    (made,) = crm.deps.sales.suppliers.export(crm.maya, "fjord")
    assert made.data.payment_page == "https://pay.fjord.example"
    assert made.data.commission == Decimal("12.5")
    assert made.data.brands == (Brand.VISA, Brand.JCB)
    page = browser.get(f"/suppliers/{made.id}").text
    assert 'value="12.5"' in page
    assert browser.post(f"/suppliers/{made.id}", {"name": "Fjord Lines", "version": made.version}).status_code == 303
    assert "Fjord Lines" in browser.get("/suppliers?q=lines").text
    assert "No supplier matches" in browser.get("/suppliers?q=nobody").text
    browser.post(f"/suppliers/{made.id}/remove")
    assert "No suppliers yet" in browser.get("/suppliers").text


def test_a_supplier_is_offered_while_a_segment_is_typed_and_stands_beside_the_card(crm: CrmHouse) -> None:
    crm.deps.sales.suppliers.add(crm.jonas, AURORA)
    payment_id = crm.authorized()
    browser = crm.browser(crm.maya)
    assert '<option value="Aurora Cruises">' in browser.get(f"/bookings/{crm.booking_id}/segments/new").text
    page = browser.get(f"/payments/{payment_id}").text
    assert "+1 305 555 0142" in page
    assert "https://pay.aurora.example/agents" in page
    assert "Mastercard and American Express" in page
    assert "This card can’t be used there" in page  # the fake client's card is a Visa


def test_a_link_asks_first_when_the_clients_last_card_cannot_be_used_there(crm: CrmHouse) -> None:
    crm.authorized()
    browser = crm.browser(crm.maya)
    wanted = {
        "request_key": "another-form-0123456789",
        "type": "deposit",
        "segment_id": crm.segment_id,
        "purpose": "Deposit",
        "pick_0": "y",
        "amount_0": "1240.00",
    }

    crm.deps.sales.suppliers.add(crm.maya, AURORA)
    asked = browser.post(f"/links/new/{crm.booking_id}", wanted)
    assert asked.status_code == 422
    assert (
        "Aurora Cruises takes Mastercard and American Express; Grace Hopper paid by Visa the last time." in asked.text
    )
    assert len(crm.events(PaymentLinkIssued)) == 1
    assert browser.post(f"/links/new/{crm.booking_id}", {**wanted, "overpay_ok": "y"}).status_code == 303
    assert len(crm.events(PaymentLinkIssued)) == 2


def test_the_directory_leaves_as_a_file(crm: CrmHouse) -> None:
    crm.deps.sales.suppliers.add(crm.maya, AURORA)
    header, row = crm.browser(crm.jonas).get("/suppliers/suppliers.csv").text.splitlines()
    assert header.endswith("Commission (%),Note")
    assert row.startswith("Aurora Cruises,")
    assert "12.5" in row
    assert crm.browser(crm.jonas).get("/suppliers/suppliers.xlsx").data[:2] == b"PK"


@given(st.sets(st.sampled_from(BRANDS)))
def test_brands_are_read_as_they_were_kept(brands: set[Brand]) -> None:
    assert set(unpacked(packed(tuple(brands)))) == brands
    data = SupplierData(name="A", brands=tuple(brands))
    assert data.takes("other")
    assert all(data.takes(brand) is (not brands or brand in brands) for brand in BRANDS)


@given(st.integers(0, 100_00))
def test_a_percentage_is_read_as_it_is_written(points: int) -> None:
    data = SupplierData(name="A", commission_points=points)
    assert read_percent(f"{data.commission} %") == read_percent(str(data.commission).replace(".", ",")) == points


@pytest.mark.parametrize("text", ["100.01", "-1", "twelve", "", "1.234", "12..5"])
def test_what_is_no_percentage_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="percentage"):
        read_percent(text)


@given(st.text(max_size=60))
def test_whatever_is_typed_as_a_page_is_an_https_address_or_refused_in_words(text: str) -> None:
    try:
        address = read_page(text)
    except ValueError as error:
        address = str(error)[str(error).index("https://") :]
    assert address.startswith("https://")
