"""That no money moves is said on each page of the portal that shows a charge, a refund or a standing order (G3)."""

import html
import re
from collections.abc import Iterator
from io import BytesIO

import pytest
from flask import Flask
from pypdf import PdfReader

from chassis.timestamps import stamp
from protos.wayvault.common.v1.common_pb2 import Money
from protos.wayvault.events.v1.events_pb2 import (
    PaymentConfirmationWanted,
    PaymentContext,
    PaymentProcessed,
    PaymentRefunded,
    StandingOrderTold,
)
from tests.support.portal import LINK, PAYMENT, PortalWorld, context
from tests.support.portal_people import GRACE, signed_in
from tests.support.portal_trips import booking_saved

_ORDER = "order_1"
# Of this world alone: the gateway's number, what was given back and why, what a standing order is of.
_SIGNS = {"pi_000001", "US$ 123.45", "Two of three nights", "US$ 67.89"}
_AT_LEAST = {
    "payments.index",
    "payments.receipt",
    "payments.show",
    "payments.status",
    "standing_orders.show",
    "trips.show",
}
# What is left to pay of a trip, which is as much as was given back: no charge.
_NONE_SHOWN = {"trips.index"}
_TEST = re.compile(r">Test</|No money move[sd]")


def about(test_mode: bool) -> PaymentContext:
    found = context(payer=GRACE)
    found.test_mode = test_mode
    return found


def charge(world: PortalWorld, *, test_mode: bool) -> None:
    """A payment by a link was charged, and a part given back; and there is a standing order."""
    at, told = stamp(world.clock.now()), about(test_mode)
    world.tell(PaymentProcessed(payment_id=PAYMENT, confirmation_number="pi_000001", at=at, context=told))
    back = Money(minor=123_45, currency="USD")
    world.tell(PaymentRefunded(context=told, at=at, amount=back, refunded=back, reason="Two of three nights"))
    order = StandingOrderTold(order_id=_ORDER, context=told, state="active", next_on="2027-02-28", made=1, at=at)
    order.context.amount.minor, order.context.plan = 67_89, "US$ 67.89 every month"
    world.tell(order)


def addresses(app: Flask) -> Iterator[tuple[str, str]]:
    objects = {"payment_id": PAYMENT, "link_id": LINK, "order_id": _ORDER, "booking_id": about(True).booking_id}
    adapter = app.url_map.bind("portal.localhost")
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and rule.arguments <= set(objects) and not rule.endpoint.endswith("static"):
            yield rule.endpoint, adapter.build(rule.endpoint, {name: objects[name] for name in rule.arguments})


@pytest.mark.parametrize("test_mode", [True, False])
def test_each_page_with_a_charge_says_that_no_money_moves(world: PortalWorld, test_mode: bool) -> None:
    world.tell(booking_saved())
    world.issue()
    holder = world.submitted()
    charge(world, test_mode=test_mode)
    found, said = set(), set()
    for browser in (holder, signed_in(world)):
        for endpoint, path in addresses(world.wsgi):
            answer = browser.get(path)
            if answer.status_code == 200 and answer.mimetype == "text/html" and endpoint not in _NONE_SHOWN:
                shown = html.unescape(answer.text).replace("\u00a0", " ")
                if any(sign in shown for sign in _SIGNS):
                    found.add(endpoint)
                    said |= {endpoint} if _TEST.search(shown) else set()
    assert found >= _AT_LEAST
    assert said == (found if test_mode else set())
    receipt = PdfReader(BytesIO(holder.get(f"/pay/{LINK}/receipt.pdf").data))
    assert ("No money moved" in receipt.pages[0].extract_text()) is test_mode


@pytest.mark.parametrize("test_mode", [True, False])
def test_who_comes_back_from_the_bank_reads_it_before_and_after_the_charge(world: PortalWorld, test_mode: bool) -> None:
    world.issue()
    holder = world.submitted()
    world.tell(PaymentConfirmationWanted(context=about(test_mode)))
    before = holder.get(f"/confirmed/{PAYMENT}").text
    charge(world, test_mode=test_mode)
    after = holder.get(f"/confirmed/{PAYMENT}").text
    assert "Thank you" in before
    assert "Your payment is done" in after
    assert [bool(_TEST.search(each)) for each in (before, after)] == [test_mode, test_mode]
