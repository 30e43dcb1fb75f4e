"""Every request that we send has the shape that Stripe publishes: asked of stripe-mock, which Stripe makes from its
own OpenAPI description and which refuses what that doesn't have. Its answers are made up, so only shapes are proven.
"""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
import stripe

from services.vault.card_data import Cvv, Pan
from services.vault.charging.gateways.port import Card, GatewayUnknown, Order, Payout
from services.vault.charging.gateways.stripe.adapter import StripeGateway
from services.vault.charging.gateways.stripe.calls import Calls
from tests.support.vault_kit import VISA

pytestmark = pytest.mark.enable_socket

# `.ci/run` builds it: GOBIN=… go install github.com/stripe/stripe-mock@v0.203.0
_BUILT: Final = Path(os.environ.get("WAYVAULT_GOBIN", Path.home() / ".cache/wayvault/bin")) / "stripe-mock"
_ORDER: Final = Order(id="chg_1", payment_id="pay_1", amount_minor=15000, currency="USD", description="Service fee")
_KEEPS: Final = replace(_ORDER, keeps_card=True)
_BY_MANDATE: Final = replace(_ORDER, mandate="cus_1 pm_1")
_CARD: Final = Card(pan=Pan.parse(VISA), exp_month=9, exp_year=2034, name="Grace Hopper", cvv=Cvv.parse("123"))
_TIME: Final = (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
_PAYOUT: Final = Payout(
    reference="po_1", amount_minor=1, currency="USD", arrives_at=_TIME[0], state="paid", itemized=True
)


class Watched(Calls):
    """Notes what was refused, whatever the adapter makes of it."""

    def __init__(self, url: str) -> None:
        super().__init__("sk_test_123", url=url, hosts=[url])
        self.refused: list[str] = []
        self.paths: list[str] = []

    def _call(
        self, method: object, path: str, fields: dict[str, object], options: dict[str, object]
    ) -> dict[str, object]:
        self.paths.append(f"{method} {re.sub(r'(pi|cs|re|pm)_[^/]+', 'ID', path)}")
        try:
            return super()._call(method, path, fields, options)
        except stripe.StripeError as error:
            self.refused.append(f"{path}: {error}")
            raise


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    program = shutil.which("stripe-mock") or (str(_BUILT) if _BUILT.exists() else "")
    if not program:
        pytest.skip(f"there is no stripe-mock; build it into {_BUILT.parent} (see .ci/run)")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    process = subprocess.Popen([program, "-http-addr", f"127.0.0.1:{port}"], stdout=subprocess.DEVNULL)
    try:
        _await(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _await(port: int) -> None:
    ends = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < ends, "stripe-mock does not answer"


@pytest.mark.parametrize(
    ("act", "paths"),
    [
        (lambda it: it.prepare(_ORDER), ["post /v1/payment_intents"]),
        (
            lambda it: it.charge(_ORDER, "pi_1", _CARD),
            ["post /v1/payment_methods", "post /v1/payment_intents/ID/confirm"],
        ),
        (
            lambda it: it.hosted_page(_ORDER, "pi_1"),
            ["post /v1/payment_intents/ID/cancel", "post /v1/checkout/sessions"],
        ),
        (lambda it: it.prepare(_KEEPS), ["post /v1/customers", "post /v1/payment_intents"]),
        (lambda it: it.hosted_page(_KEEPS, "pi_1"), ["post /v1/checkout/sessions"]),
        (lambda it: it.prepare(_BY_MANDATE), ["post /v1/payment_intents"]),
        (lambda it: it.charge_mandate(_BY_MANDATE, "pi_1"), ["post /v1/payment_intents/ID/confirm"]),
        (lambda it: it.end_mandate("cus_1 pm_1"), ["post /v1/payment_methods/ID/detach"]),
        (lambda it: it.find_out(_ORDER, "pi_1", waits_for_client=True), ["get /v1/payment_intents/ID"]),
        (lambda it: it.find_out(_ORDER, "cs_1", waits_for_client=True), ["get /v1/checkout/sessions/ID"]),
        (lambda it: it.void(_ORDER, "pi_1"), ["post /v1/payment_intents/ID/cancel", "get /v1/payment_intents/ID"]),
        (lambda it: it.void(_ORDER, "cs_1"), ["post /v1/checkout/sessions/ID/expire"]),
        (lambda it: it.refund(_ORDER, "pi_1", "rfd_1", 4000), ["post /v1/refunds"]),
        (lambda it: it.find_refund(_ORDER, "pi_1", "rfd_1", ""), ["get /v1/refunds"]),
        (lambda it: it.find_refund(_ORDER, "pi_1", "rfd_1", "re_1"), ["get /v1/refunds/ID"]),
        (lambda it: it.books.movements(*_TIME), ["get /v1/balance_transactions"]),
        (lambda it: it.books.payouts(*_TIME), ["get /v1/payouts"]),
        (lambda it: it.books.paid_out(_PAYOUT), ["get /v1/balance_transactions"]),
    ],
)
def test_a_request_has_the_shape_that_stripe_publishes(
    url: str, act: Callable[[StripeGateway], object], paths: list[str]
) -> None:
    calls = Watched(url)
    gateway = StripeGateway("sk_test_123", calls, return_url="https://portal.example/confirmed/")
    with suppress(GatewayUnknown):  # an answer that is made up need not make sense
        act(gateway)
    assert calls.refused == []
    assert set(paths) <= set(calls.paths)


def test_what_it_would_refuse_is_seen(url: str) -> None:
    calls = Watched(url)
    with pytest.raises(stripe.InvalidRequestError):
        calls.post("/v1/payment_intents", {"amount": 15000, "currency": "usd", "colour": "red"}, key="a-key-of-ours")
    assert len(calls.refused) == 1
