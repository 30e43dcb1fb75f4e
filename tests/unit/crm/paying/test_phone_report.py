"""The report of calls says what became of the charge (T5), where the agency charges cards itself."""

import csv
import html
import io
import re
from dataclasses import replace

import pyotp
import pytest

from services.crm.core.ports.charging import ChargeState
from services.crm.paying.payments.rules import PaymentState, PaymentType
from tests.support.crm_charging import FakeCharging
from tests.support.crm_paying import ORIGIN, CrmHouse
from tests.unit.crm.paying.test_phone import BILLING, phone

pytestmark = pytest.mark.usefixtures("gateway")


def fee_by_phone(crm: CrmHouse) -> str:
    """A service fee whose card was keyed by phone, after a first try that was cancelled. Returns the payment's id."""
    request = replace(crm.link_request(), segment_id="", type=PaymentType.SERVICE_FEE)
    payment_id = crm.deps.paying.links.open_without_link(crm.maya, crm.booking_id, request)
    first, _ = phone(crm).start(crm.maya, payment_id, script="Read out")
    phone(crm).cancel(crm.maya, first)
    crm.vault.hold("card_phone_2")
    call_id, _ = phone(crm).start(crm.maya, payment_id, script="Read out")
    phone(crm).storing.finish(crm.maya, call_id, name="Grace Hopper", billing=BILLING)
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
    told_admin = html.unescape(crm.browser(crm.ada).get("/phone/calls").text)
    assert re.search(r'Charged <span class="wv-badge[^>]*>.*?Test mode</span><br>US\$', told_admin, re.DOTALL)


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


# ---------------------------------------------------------------- while the client is on the line


def panel(crm: CrmHouse, payment_id: str) -> str:
    return html.unescape(crm.browser(crm.maya).get(f"/payments/{payment_id}/phone").text)


def test_a_fee_is_charged_in_the_same_panel_with_the_same_confirmation(crm: CrmHouse) -> None:
    payment_id = fee_by_phone(crm)
    maya = crm.browser(crm.maya)
    shown = panel(crm, payment_id)
    assert "Charge US$\u00a01,240.00?" in shown
    assert "When it succeeds, card and CVV are destroyed for good." in shown
    assert "Test mode" in shown

    answer = maya.post(f"/payments/{payment_id}/phone/charge")
    assert (answer.status_code, answer.location) == (303, f"/payments/{payment_id}/phone")
    told = panel(crm, payment_id)
    assert "Charged" in told
    assert "pi_000001" in told
    assert "Refund…" not in told
    assert crm.row(payment_id).state == PaymentState.PROCESSED


def test_a_wrong_code_is_told_beside_its_field_in_the_panel(crm: CrmHouse, gateway: FakeCharging) -> None:
    agency = crm.deps.access.directory.agency(crm.agency_id)
    crm.deps.access.directory.change_agency(crm.ada, replace(agency.data, charge_code=True), version=agency.version)
    crm.deps.access.sign_in.set_password(crm.maya.agent_id, "harbour lantern velvet ostrich")
    secret = crm.deps.access.sign_in.enrol_new_authenticator(crm.maya.agent_id)
    payment_id, maya = fee_by_phone(crm), crm.browser(crm.maya)
    for typed, words in (
        ("", "Enter the 6 digits that your app shows."),
        ("000000", "That code is not right"),
        ("no", "Enter the 6 digits of the code."),
    ):
        answer = maya.post(f"/payments/{payment_id}/phone/charge", {"charge-code": typed})
        assert answer.status_code == 422
        assert "<h1>Card by phone" in answer.text
        beside = html.unescape(answer.text).partition('id="charge-code-error"')[2]
        assert words in beside[:400]
        assert gateway.charges == {}
    maya.post(f"/payments/{payment_id}/phone/charge", {"charge-code": pyotp.TOTP(secret).at(crm.clock.now())})
    assert len(gateway.charges[payment_id]) == 1


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (ChargeState.DECLINED, "There is not enough money on the card. Ask the client for another card."),
        (ChargeState.NEEDS_CLIENT, "ask them to open the e-mail now"),
    ],
)
def test_the_panel_says_what_to_tell_the_client(
    crm: CrmHouse, gateway: FakeCharging, state: ChargeState, words: str
) -> None:
    payment_id = fee_by_phone(crm)
    gateway.next = state
    crm.browser(crm.maya).post(f"/payments/{payment_id}/phone/charge")
    assert words in panel(crm, payment_id)


def test_without_a_gateway_or_for_a_supplier_the_panel_leads_to_the_payment(
    crm: CrmHouse, gateway: FakeCharging
) -> None:
    suppliers = crm.deps.paying.links.open_without_link(crm.maya, crm.booking_id, crm.link_request(key="form-9-01234"))
    crm.vault.hold("card_phone_2")
    call_id, _ = phone(crm).start(crm.maya, suppliers, script="Read out")
    phone(crm).storing.finish(crm.maya, call_id, name="Grace Hopper", billing=BILLING)
    gateway.gateway = None
    for payment_id in (suppliers, fee_by_phone(crm)):
        answer = crm.browser(crm.maya).get(f"/payments/{payment_id}/phone")
        assert (answer.status_code, answer.location) == (303, f"/payments/{payment_id}")
