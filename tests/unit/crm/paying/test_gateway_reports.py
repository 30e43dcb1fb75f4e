"""Reports of what was charged through the gateway, and payouts beside our books (G6)."""

import csv
import html
import io
from dataclasses import replace
from datetime import timedelta

import pytest
from openpyxl import load_workbook

from chassis.errors import Unavailable
from services.crm.core.actor import Actor
from services.crm.core.ports.charging import ChargeState, LedgerEntry, PayoutDetail, PayoutLine
from services.crm.paying.charging.books import sums_of
from tests.support.crm_charging import FakeCharging, charged_fee, fee
from tests.support.crm_paying import ORIGIN, CrmHouse, usd

pytestmark = pytest.mark.usefixtures("gateway")


@pytest.fixture
def charged(crm: CrmHouse, gateway: FakeCharging) -> str:
    """A charge of Maya's, told of with its fee; beside it one of Jonas's that was declined."""
    payment_id = charged_fee(crm)
    charge = gateway.charges[payment_id][0]
    entry = LedgerEntry(
        charge=charge, payment_id=payment_id, agent_id=crm.maya.agent_id, made_at=crm.clock.now(), fee=usd(36_26)
    )
    declined = replace(charge, id="chg_2", state=ChargeState.DECLINED, reason="There is not enough money on the card.")
    gateway.ledger_entries = [
        entry,
        replace(entry, charge=declined, payment_id="pay_of_jonas", agent_id=crm.jonas.agent_id, fee=None),
    ]
    return payment_id


def page(crm: CrmHouse, path: str, agent: Actor | None = None) -> str:
    return html.unescape(crm.browser(agent or crm.maya).get(path).text)


def rows(crm: CrmHouse, path: str, agent: Actor) -> list[dict[str, str]]:
    text = crm.browser(agent).get(path).text.lstrip("\ufeff")
    return list(csv.DictReader(io.StringIO(text)))


def test_an_agent_sees_their_own_charges_with_fees_an_admin_the_agencys_with_reasons(
    crm: CrmHouse, charged: str
) -> None:
    own = page(crm, "/reports/charges")
    assert "US$\u00a036.26" in own
    assert "Grace Hopper, Norwegian fjords for three" in own
    assert "Test mode" in own
    assert "not enough money" not in own

    everybodys = page(crm, "/reports/charges", crm.ada)
    assert "There is not enough money on the card." in everybodys
    assert "not enough money" not in page(crm, f"/reports/charges?agent={crm.maya.agent_id}", crm.ada)


def test_the_same_lines_come_as_csv_and_as_a_workbook(crm: CrmHouse, charged: str) -> None:
    told = rows(crm, "/reports/charges.csv", crm.ada)
    assert [(row["State"], row["Amount"], row["Fee"], row["Agent"]) for row in told] == [
        ("Charged", "1240.00", "36.26", "Maya Okafor"),
        ("Declined", "1240.00", "", "Jonas Weber"),
    ]
    assert told[1]["Why"] == "There is not enough money on the card."
    sheet = load_workbook(io.BytesIO(crm.browser(crm.ada).get("/reports/charges.xlsx").data)).active
    assert sheet is not None
    assert sheet["I2"].value == pytest.approx(36.26)


def test_sums_are_made_per_currency_and_fees_in_the_gateways(crm: CrmHouse, gateway: FakeCharging) -> None:
    charge = gateway.charges[charged_fee(crm)][0]
    base = LedgerEntry(charge=charge, payment_id="p", agent_id="a", made_at=crm.clock.now(), fee=usd(100))
    euro = replace(base, charge=replace(charge, currency="EUR", refunded_minor=5_00))
    lost = replace(base, charge=replace(charge, state=ChargeState.FAILED), fee=None)
    found = {each.charged.currency: each for each in sums_of([base, euro, lost])}
    assert (found["USD"].count, found["USD"].failed, found["USD"].fees) == (1, 1, usd(200))
    assert (found["EUR"].refunded.minor, found["EUR"].fees) == (5_00, None)


def test_a_gateway_or_a_charging_that_is_down_is_said_and_breaks_no_page(
    crm: CrmHouse, gateway: FakeCharging, charged: str
) -> None:
    gateway.books_problem = "The gateway does not answer now, so its fees and payouts are not shown."
    shown = page(crm, "/reports/charges")
    assert "does not answer now" in shown
    assert "Grace Hopper" in shown
    gateway.refuse = Unavailable("Charging can't be reached.")
    for path in ("/reports/charges", "/reports/payouts"):
        assert "Charging can't be reached." in page(crm, path, crm.ada)


def test_a_payout_lists_what_is_in_it_and_says_what_does_not_agree(
    crm: CrmHouse, gateway: FakeCharging, charged: str
) -> None:
    now = crm.clock.now()
    line = PayoutLine(
        kind="charge",
        reference="txn_1",
        payment_id=charged,
        agent_id=crm.maya.agent_id,
        gross=usd(1_240_00),
        fee=usd(36_26),
        net=usd(1_203_74),
        at=now - timedelta(days=2),
        words="charge",
    )
    unknown = "Wayvault has no such charge: it was made elsewhere."
    elsewhere = replace(line, payment_id="", agent_id="", reference="txn_2", mismatch=unknown)
    gateway.paid_out = [
        PayoutDetail(reference="po_2", amount=usd(2_407_48), arrives_at=now, state="paid", lines=(line, elsewhere)),
        PayoutDetail(reference="po_1", amount=usd(1_203_74), arrives_at=now, state="paid", lines=(line,)),
    ]
    shown = page(crm, "/reports/payouts", crm.ada)
    assert "1 thing does not agree" in shown
    assert "it was made elsewhere" in shown
    assert "Agrees" in shown
    told = rows(crm, "/reports/payouts.csv", crm.ada)
    assert [(row["Payout"], row["Net"], row["Line does not agree"]) for row in told] == [
        ("po_2", "1203.74", ""),
        ("po_2", "1203.74", unknown),
        ("po_1", "1203.74", ""),
    ]
    assert "Payouts" in page(crm, "/reports", crm.ada)


def test_payouts_are_for_admins(crm: CrmHouse) -> None:
    assert crm.browser(crm.maya).get("/reports/payouts").status_code == 404
    assert crm.browser(crm.maya).get("/reports/payouts.csv").status_code == 404
    assert "reports/payouts" not in page(crm, "/reports")


def test_a_declined_charge_is_no_sum(crm: CrmHouse, gateway: FakeCharging) -> None:
    gateway.next = ChargeState.DECLINED
    payment_id = fee(crm)
    crm.deps.paying.charges.charge(crm.maya, payment_id, origin=ORIGIN)
    entry = LedgerEntry(
        charge=gateway.charges[payment_id][0],
        payment_id=payment_id,
        agent_id=crm.maya.agent_id,
        made_at=crm.clock.now(),
    )
    (only,) = sums_of([entry])
    assert (only.charged.minor, only.count, only.failed) == (0, 0, 1)
