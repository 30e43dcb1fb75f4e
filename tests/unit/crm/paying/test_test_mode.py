"""Whether money moves is said on each page of the CRM on which a charge, a refund or a standing order stands (G3)."""

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask

from protos.wayvault.events.v1.events_pb2 import (
    PaymentProcessed,
    PaymentRefunded,
    PaymentRefundFailed,
    RefundApprovalDecided,
    RefundApprovalRequested,
    StandingOrderTold,
)
from services.crm.app import create_app
from services.crm.core.ports.charging import LedgerEntry, RefundState
from services.crm.paying.charging.approvals import RefundRequest
from tests.support.crm_charging import FakeCharging
from tests.support.crm_paying import ORIGIN, CrmHouse, usd
from tests.unit.crm.paying.test_phone_report import fee_by_phone
from tests.unit.crm.paying.test_standing_orders import signed

# Of this house alone: what was given back, why, at which number of the gateway, and what a standing order is of.
_SIGNS = {"US$ 123.45", "Two of three nights", "US$ 67.89", "US$ 567.80", "pi_000001"}
_WORDS = {False: "Test mode", True: ">Live<"}
# Pages that a charge, a refund and a standing order stand on.
_AT_LEAST = {
    "bookings.show",
    "clients.show",
    "dashboard.show",
    "payment_page.show",
    "phone.panel",
    "refund_approvals.show",
    "reports.charges",
    "reports.orders_ahead",
    "second_reveals.index",
    "standing_orders.index",
    "standing_orders.show",
}
# Where a word of one is found that is not shown as a charge.
_NONE_SHOWN = {
    "audit.index": "the audit trail: who did what, in the vault's words",
    "activity.index": "the trail of what people did",
    "link_overview.index": "links and what each asks for, whatever was charged since",
}


def furnish(crm: CrmHouse, gateway: FakeCharging) -> dict[str, str]:
    """A charge by phone of which a part went back and another did not, and a part waits for an admin; a standing
    order. Gives an object for each argument of an address."""
    agency = crm.deps.access.directory.agency(crm.agency_id)
    crm.deps.access.directory.change_agency(crm.ada, replace(agency.data, refund_limit=500), version=agency.version)
    payment_id = fee_by_phone(crm)
    crm.deps.paying.charges.charge(crm.maya, payment_id, origin=ORIGIN)

    def refund(minor: int, seen: int) -> object:
        amount, reason = usd(minor), "Two of three nights"
        return crm.deps.paying.refunds.refund(
            crm.maya, payment_id, amount=amount, reason=reason, seen=seen, origin=ORIGIN
        )

    refund(123_45, 0)
    gateway.settle_refunds(payment_id, RefundState.FAILED, "The card has ended.")
    crm.clock.advance(timedelta(days=1, minutes=1))
    crm.deps.paying.refunds.carry_out()
    asked = refund(567_80, 1)
    assert isinstance(asked, RefundRequest)
    order = signed(crm, amount=usd(67_89))
    charge = gateway.charges[payment_id][0]
    gateway.ledger_entries = [
        LedgerEntry(charge=charge, payment_id=payment_id, agent_id=crm.maya.agent_id, made_at=crm.clock.now())
    ]
    return {
        "payment_id": payment_id,
        "booking_id": crm.booking_id,
        "client_id": crm.grace_id,
        "order_id": order.id,
        "request_id": asked.id,
        "agent_id": crm.maya.agent_id,
    }


def addresses(app: Flask, objects: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Every page whose address needs nothing but these."""
    adapter = app.url_map.bind("crm.localhost")
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint.endswith("static") or "stream" in rule.endpoint:
            continue
        if rule.arguments <= set(objects) and not re.search(r"\.(csv|xlsx|ics|pdf|json|png)$", rule.rule):
            yield rule.endpoint, adapter.build(rule.endpoint, {name: objects[name] for name in rule.arguments})


@pytest.mark.parametrize("live", [False, True])
def test_each_page_with_a_charge_says_whether_money_moves(crm: CrmHouse, gateway: FakeCharging, live: bool) -> None:
    assert gateway.gateway is not None
    gateway.gateway, gateway.live = replace(gateway.gateway, live=live), live
    found, silent, opened = set(), set(), set()
    objects = furnish(crm, gateway)
    pages = [each for each in addresses(create_app(crm.deps), objects) if not live or each[0] in _AT_LEAST]
    for agent in (crm.maya, crm.ada):
        browser = crm.browser(agent)
        for endpoint, path in [each for each in pages if each[0] not in opened]:
            answer = browser.get(path)
            opened |= {endpoint} if answer.status_code == 200 else set()
            if endpoint in opened and answer.mimetype == "text/html" and endpoint not in _NONE_SHOWN:
                shown = html.unescape(answer.text).replace("\u00a0", " ")
                if any(sign in shown for sign in _SIGNS):
                    found.add(endpoint)
                    silent |= set() if _WORDS[live] in shown else {endpoint}
    assert silent == set()
    assert found >= _AT_LEAST


@pytest.mark.parametrize("live", [False, True])
def test_each_event_about_a_charge_says_whether_money_moves(crm: CrmHouse, gateway: FakeCharging, live: bool) -> None:
    assert gateway.gateway is not None
    gateway.gateway, gateway.live = replace(gateway.gateway, live=live), live
    objects = furnish(crm, gateway)
    crm.deps.paying.refund_approvals.approve(crm.ada, objects["request_id"], word="")
    told = [
        *((type(event), event.context) for event in crm.events(PaymentProcessed)),
        *((type(event), event.context) for event in crm.events(PaymentRefunded)),
        *((type(event), event.context) for event in crm.events(PaymentRefundFailed)),
        *((type(event), event.context) for event in crm.events(RefundApprovalRequested)),
        *((type(event), event.context) for event in crm.events(RefundApprovalDecided)),
        *((type(event), event.context) for event in crm.events(StandingOrderTold)),
    ]
    assert len({kind for kind, _ in told}) == 6
    assert {context.test_mode for _, context in told} == {not live}
