"""What charging has to know of Stripe to offer it."""

import re
from collections.abc import Mapping
from typing import Final

from chassis.errors import InvalidArgument
from services.vault.charging.gateways.port import Gateway, GatewaySettings, Kind
from services.vault.charging.gateways.stripe.adapter import StripeGateway
from services.vault.charging.gateways.stripe.calls import Calls

# Secret and restricted keys (docs.stripe.com/keys); a publishable key can't charge.
_KEY: Final = re.compile(r"(sk|rk)_(live|test)_[A-Za-z0-9]{8,240}")
# Signing secrets of webhook endpoints (docs.stripe.com/webhooks/signature).
_SIGNING: Final = re.compile(r"whsec_[A-Za-z0-9+/=_-]{8,240}")


def _open(key: str, settings: GatewaySettings) -> Gateway:
    calls = Calls(key, url=settings.stripe_url, hosts=settings.hosts)
    return StripeGateway(key, calls, return_url=settings.return_url)


def _key_problem(key: str) -> str:
    return "" if _KEY.fullmatch(key) else "A key of Stripe begins with sk_test_, sk_live_, rk_test_ or rk_live_."


def _key_from(fields: Mapping[str, str]) -> str:
    key = fields.get("key", "")
    if problem := _key_problem(key):
        raise InvalidArgument(problem, field="key")
    return key


def _signing_problem(secret: str) -> str:
    return "" if _SIGNING.fullmatch(secret) else "A signing secret of Stripe begins with whsec_."


KIND: Final = Kind(
    name="stripe",
    keeps_cards=True,
    tells_books=True,
    takes_notices=True,
    key_from=_key_from,
    open=_open,
    key_problem=_key_problem,
    signing_problem=_signing_problem,
    is_live=lambda key: "_live_" in key,
)
