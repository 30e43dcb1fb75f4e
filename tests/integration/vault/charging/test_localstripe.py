"""Charges, declines and refunds against localstripe, a stateful Stripe that nobody here wrote.

It is a program of its own (GPL) in a venv of its own and is never imported: `.ci/run` makes the venv. stripe-mock shows
that our requests have the shape that Stripe publishes; this shows that our adapter reads a payment's life as another
author understood it. Where localstripe does otherwise than Stripe documents, `Translated` says so once, and
`test_it_does_otherwise_than_stripe_documents` holds that it still does: when that fails, the translation can go.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import stripe

from services.vault.card_data import Cvv, Pan
from services.vault.charging.gateways.port import Card, GatewayRefused, GatewayUnknown, Order
from services.vault.charging.gateways.stripe.adapter import StripeGateway
from services.vault.charging.gateways.stripe.calls import Calls
from services.vault.charging.rules import ChargeState, RefundState
from tests.support.vault_kit import VISA

pytestmark = pytest.mark.enable_socket

_BUILT: Final = Path(
    os.environ.get("WAYVAULT_LOCALSTRIPE", Path.home() / ".cache/wayvault/localstripe/bin/localstripe")
)
_KEY: Final = "sk_test_12345678"
# docs.stripe.com/testing: can be kept, and is declined when it is charged.
_DECLINED: Final = "4000000000000341"
_NEEDS_3DS: Final = "4000002500003155"


class Translated(Calls):
    """Our requests as localstripe takes them."""

    def __init__(self, url: str) -> None:
        super().__init__(_KEY, url=url, hosts=[url])

    def post(self, path: str, fields: dict[str, Any], *, key: str) -> dict[str, Any]:
        if path == "/v1/payment_intents":
            # It knows no description of an intent.
            fields = {name: value for name, value in fields.items() if name != "description"}
        if path.endswith("/confirm"):
            # A confirmation may bring the payment method and says where the client comes back to; here the method is
            # set before, and nobody comes back.
            super().post(path.removesuffix("/confirm"), {"payment_method": fields["payment_method"]}, key="")
            fields = {}
        return super().post(path, fields, key=key)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    program = shutil.which("localstripe") or (str(_BUILT) if _BUILT.exists() else "")
    if not program:
        pytest.skip(f"there is no localstripe; its venv belongs into {_BUILT.parent.parent} (see .ci/run)")
    with socket.socket(socket.AF_INET6) as listener:  # it listens on :: only
        listener.bind(("::", 0))
        port = listener.getsockname()[1]
    process = subprocess.Popen(
        [program, "--port", str(port), "--from-scratch"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _await(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _await(port: int) -> None:
    ends = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < ends, "localstripe does not answer"
        else:
            return


@pytest.fixture
def gateway(url: str) -> StripeGateway:
    return StripeGateway(_KEY, Translated(url), return_url="https://portal.example/confirmed/")


def order(number: int = 1) -> Order:
    return Order(id=f"chg_{number}", payment_id="pay_1", amount_minor=15000, currency="USD", description="Service fee")


def card(number: str = VISA) -> Card:
    return Card(pan=Pan.parse(number), exp_month=9, exp_year=2034, name="Grace Hopper", cvv=Cvv.parse("123"))


def test_a_charge_succeeds_and_reading_it_says_so(gateway: StripeGateway) -> None:
    reference = gateway.prepare(order())
    assert gateway.charge(order(), reference, card()).state is ChargeState.SUCCEEDED
    assert gateway.find_out(order(), reference, waits_for_client=False).state is ChargeState.SUCCEEDED


def test_a_decline_is_told_and_reading_it_says_so(gateway: StripeGateway) -> None:
    reference = gateway.prepare(order())
    declined = gateway.charge(order(), reference, card(_DECLINED))
    assert (declined.state, declined.code) == (ChargeState.DECLINED, "card_declined")
    found = gateway.find_out(order(), reference, waits_for_client=False)
    assert (found.state, found.code) == (ChargeState.DECLINED, "card_declined")


def test_one_that_never_arrived_is_made_impossible(gateway: StripeGateway) -> None:
    reference = gateway.prepare(order())
    found = gateway.find_out(order(), reference, waits_for_client=False)
    assert (found.state, found.code) == (ChargeState.FAILED, "never_arrived")
    # The call that was under way all the time comes too late.
    assert gateway.charge(order(), reference, card()).state is ChargeState.FAILED


def test_a_client_who_has_to_confirm_is_waited_for_only_where_there_is_a_page(gateway: StripeGateway) -> None:
    """localstripe has no page for them (`use_stripe_sdk`), as Stripe where no return_url was given."""
    reference = gateway.prepare(order())
    asked = gateway.charge(order(), reference, card(_NEEDS_3DS))
    assert (asked.state, asked.client_url) == (ChargeState.NEEDS_CLIENT, "")
    assert gateway.find_out(order(), reference, waits_for_client=True).state is ChargeState.NEEDS_CLIENT
    assert gateway.void(order(), reference).state is ChargeState.FAILED


def test_a_refund_is_made_and_found_by_its_id_and_by_ours(gateway: StripeGateway) -> None:
    reference = gateway.prepare(order())
    gateway.charge(order(), reference, card())
    assert gateway.find_refund(order(), reference, "rfd_1", "") is None
    made = gateway.refund(order(), reference, "rfd_1", 4000)
    assert made.state is RefundState.SUCCEEDED
    for known in ("", made.reference):
        found = gateway.find_refund(order(), reference, "rfd_1", known)
        assert found is not None
        assert (found.state, found.reference) == (RefundState.SUCCEEDED, made.reference)
    assert gateway.find_refund(order(), reference, "rfd_2", "") is None


def test_a_key_that_is_none_is_refused_as_such(url: str) -> None:
    gateway = StripeGateway("sk", Calls("sk", url=url, hosts=[url]), return_url="https://portal.example/")
    with pytest.raises(GatewayRefused, match="gateway_key_refused"):
        gateway.prepare(order())


def test_it_does_otherwise_than_stripe_documents(url: str) -> None:
    plain = Calls(_KEY, url=url, hosts=[url])
    new = {"amount": 15000, "currency": "usd"}

    # docs.stripe.com/api/payment_intents/create has both.
    with pytest.raises(stripe.InvalidRequestError, match="Unexpected description"):
        plain.post("/v1/payment_intents", {**new, "description": "Service fee"}, key="")

    # docs.stripe.com/api/idempotent_requests: the same key gives the same answer.
    first, second = (plain.post("/v1/payment_intents", new, key="the-same-key") for _ in range(2))
    assert first["id"] != second["id"]

    # docs.stripe.com/api/payment_intents/confirm takes payment_method.
    method = plain.post(
        "/v1/payment_methods",
        {"type": "card", "card": {"number": VISA, "exp_month": 9, "exp_year": 2034, "cvc": "123"}},
        key="",
    )
    with pytest.raises(GatewayUnknown):  # a 500, "Not implemented"
        plain.post(f"/v1/payment_intents/{first['id']}/confirm", {"payment_method": method["id"]}, key="")

    # docs.stripe.com/api/refunds/create: an error for more than is left of the charge.
    plain.post(f"/v1/payment_intents/{first['id']}", {"payment_method": method["id"]}, key="")
    plain.post(f"/v1/payment_intents/{first['id']}/confirm", {}, key="")
    refund = plain.post("/v1/refunds", {"payment_intent": first["id"], "amount": 99_999}, key="")
    assert refund["status"] == "succeeded"

    # docs.stripe.com/api/checkout/sessions: it has none, so that no hosted page can be tried here.
    with pytest.raises(GatewayUnknown):  # a 404 that is no JSON
        plain.post("/v1/checkout/sessions", {"mode": "payment"}, key="")
