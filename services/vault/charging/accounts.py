"""Agencies' accounts at their gateways: the key goes in once, sealed, and comes out to make a call only."""

import json
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, cast

from sqlalchemy import Table
from sqlalchemy.orm import Session

from chassis.errors import InvalidArgument
from services.vault.charging.gateways.port import Gateway
from services.vault.charging.gateways.stripe.adapter import StripeGateway
from services.vault.charging.gateways.stripe.calls import Calls
from services.vault.charging.models import GatewayAccountRow
from services.vault.transit.service import Cipher, Context, KeyName, WrappedColumn, Wrapper, context_of

# Secret and restricted keys (docs.stripe.com/keys); a publishable key can't charge.
_STRIPE_KEY: Final = re.compile(r"(sk|rk)_(live|test)_[A-Za-z0-9]{8,240}")
# Signing secrets of webhook endpoints (docs.stripe.com/webhooks/signature).
_STRIPE_SIGNING: Final = re.compile(r"whsec_[A-Za-z0-9+/=_-]{8,240}")

Opener = Callable[[str], Gateway]
"""Makes a gateway from an account's key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """Where gateways are. `hosts` are the only origins that charging calls."""

    stripe_url: str
    hosts: Collection[str]
    return_url: str


def openers(settings: GatewaySettings) -> dict[str, Opener]:
    """The gateways that there are, by name."""

    def open_stripe(key: str) -> Gateway:
        calls = Calls(key, url=settings.stripe_url, hosts=settings.hosts)
        return StripeGateway(key, calls, return_url=settings.return_url)

    return {"stripe": open_stripe}


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What an account is opened with. `signing` is empty where the gateway was not told to send messages."""

    key: str = field(repr=False)
    signing: str = field(repr=False, default="")

    @classmethod
    def parse(cls, text: str) -> "Secrets":
        """From what was sealed; at first that was the key alone."""
        return cls(**json.loads(text)) if text.startswith("{") else cls(key=text)

    def __str__(self) -> str:
        return json.dumps({"key": self.key, "signing": self.signing})


def require_secrets(gateway: str, secrets: Secrets) -> None:
    """Raises InvalidArgument, without the secrets in it, for ones that can't be right."""
    if gateway != "stripe":
        raise InvalidArgument("There is no such gateway. There is: stripe.", field="gateway")
    if not _STRIPE_KEY.fullmatch(secrets.key):
        raise InvalidArgument("A key of Stripe begins with sk_test_, sk_live_, rk_test_ or rk_live_.", field="key")
    if secrets.signing and not _STRIPE_SIGNING.fullmatch(secrets.signing):
        raise InvalidArgument("A signing secret of Stripe begins with whsec_.", field="signing_secret")


class Accounts:
    """Seals and opens keys."""

    def __init__(self, wrapper: Wrapper, gateways: dict[str, Opener]) -> None:
        self._wrapper = wrapper
        self._gateways = gateways

    def seal(self, agency_id: str, gateway: str, secrets: Secrets, now: datetime) -> GatewayAccountRow:
        """The row to store. Raises InvalidArgument and TransitUnavailable."""
        require_secrets(gateway, secrets)
        cipher = self._wrapper.encrypt(KeyName.SEALING, str(secrets).encode(), account_context(agency_id))
        return GatewayAccountRow(
            agency_id=agency_id,
            gateway=gateway,
            live="_live_" in secrets.key,
            cipher=cipher.text,
            key_version=cipher.version,
            set_at=now,
        )

    def open(self, account: GatewayAccountRow) -> Gateway:
        """The gateway, ready to be called. Raises TransitUnavailable."""
        return self._gateways[account.gateway](self.secrets(account).key)

    def secrets(self, account: GatewayAccountRow) -> Secrets:
        """Raises TransitUnavailable."""
        opened = self._wrapper.decrypt(KeyName.SEALING, Cipher(account.cipher), account_context(account.agency_id))
        return Secrets.parse(opened.decode())


def account_of(session: Session, agency_id: str) -> GatewayAccountRow | None:
    """An agency's account, if it has one."""
    account = session.get(GatewayAccountRow, agency_id)
    if account is not None:
        session.expunge(account)
    return account


def account_context(agency_id: str) -> Context:
    """What a key's ciphertext is bound to."""
    return context_of("gateway-key", agency_id)


def wrapped_column() -> WrappedColumn:
    """Where this room keeps ciphertexts, for key management."""
    return WrappedColumn(
        key=KeyName.SEALING,
        table=cast("Table", GatewayAccountRow.__table__),
        row_id="agency_id",
        cipher="cipher",
        version="key_version",
        context_columns=("agency_id",),
        context_of_row=account_context,
    )
