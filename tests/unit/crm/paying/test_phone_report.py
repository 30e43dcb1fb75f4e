"""The report of calls says what became of the charge (T5), where the agency charges cards itself."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from services.crm.core.ports.charging import ChargeState
from services.crm.paying.payments.rules import PaymentType
from tests.support.crm_charging import FakeCharging
from tests.support.crm_paying import ORIGIN, CrmHouse
from tests.unit.crm.paying.test_phone import BILLING, phone


@pytest.fixture
def gateway() -> FakeCharging:
    return FakeCharging()


@pytest.fixture
def crm(tmp_path: Path, gateway: FakeCharging) -> Iterator[CrmHouse]:
    house = CrmHouse(tmp_path, charging=gateway)
    yield house
    house.deps.core.database.dispose()


def fee_by_phone(crm: CrmHouse) -> str:
    """A service fee whose card was keyed by phone, after a first try that was cancelled. Returns the payment's id."""
    request = replace(crm.link_request(), segment_id="", type=PaymentType.SERVICE_FEE)
    payment_id = crm.deps.paying.links.open_without_link(crm.maya, crm.booking_id, request)
    first, _ = phone(crm).start(crm.maya, payment_id, script="Read out")
    phone(crm).cancel(crm.maya, first)
    crm.vault.hold("card_phone_2")
    call_id, _ = phone(crm).start(crm.maya, payment_id, script="Read out")
    phone(crm).finish(crm.maya, call_id, name="Grace Hopper", billing=BILLING)
    return payment_id


def rows(crm: CrmHouse) -> list[dict[str, str]]:
    text = crm.browser(crm.maya).get("/phone/calls.csv").text.lstrip("\ufeff")
    return list(csv.DictReader(io.StringIO(text)))


def test_a_call_whose_card_was_charged_says_how_much(crm: CrmHouse) -> None:
    payment_id = fee_by_phone(crm)
    assert {row["Charge"] for row in rows(crm)} == {""}
    crm.deps.paying.charges.charge(crm.maya, payment_id, origin=ORIGIN)
    told = {row["Result"]: (row["Charge"], row["Charged"], row["Refunded"]) for row in rows(crm)}
    assert told == {"Card stored": ("Charged", "1240.00", ""), "Cancelled": ("", "", "")}
    assert "Charged<br>US$" in crm.browser(crm.ada).get("/phone/calls").text


@pytest.mark.parametrize(
    ("state", "words"),
    [(ChargeState.DECLINED, "Declined"), (ChargeState.NEEDS_CLIENT, "Waits for the client")],
)
def test_a_charge_that_brought_nothing_says_so_and_no_amount(
    crm: CrmHouse, gateway: FakeCharging, state: ChargeState, words: str
) -> None:
    gateway.next = state
    crm.deps.paying.charges.charge(crm.maya, fee_by_phone(crm), origin=ORIGIN)
    assert {(row["Charge"], row["Charged"]) for row in rows(crm) if row["Result"] == "Card stored"} == {(words, "")}
