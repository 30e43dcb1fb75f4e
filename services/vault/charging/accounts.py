"""Agencies' accounts at their gateways: the key goes in once, sealed, and comes out to make a call only."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, cast

from sqlalchemy import Table
from sqlalchemy.orm import Session

from chassis.errors import InvalidArgument
from services.vault.charging.gateways.port import Gateway, GatewaySettings, Kind
from services.vault.charging.gateways.registry import KINDS
from services.vault.charging.metrics import MeasuredGateway
from services.vault.charging.models import ChargeRow, GatewayAccountRow, MandateRow
from services.vault.transit.service import Cipher, Context, KeyName, WrappedColumn, Wrapper, context_of

# How many of a key's last characters people may read, to tell it from another.
HINT: Final = 4

Opener = Callable[[str], Gateway]
"""Makes a gateway from an account's key."""


def openers(settings: GatewaySettings) -> dict[str, Opener]:
    """The gateways that there are, by name."""
    return {name: _opener(kind, settings) for name, kind in KINDS.items()}


def _opener(kind: Kind, settings: GatewaySettings) -> Opener:
    return lambda key: kind.open(key, settings)


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
    kind = KINDS.get(gateway)
    if kind is None:
        raise InvalidArgument(f"There is no such gateway. There are: {', '.join(sorted(KINDS))}.", field="gateway")
    if problem := kind.key_problem(secrets.key):
        raise InvalidArgument(problem, field="key")
    if secrets.signing and (problem := kind.signing_problem(secrets.signing)):
        raise InvalidArgument(problem, field="signing_secret")


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
            live=KINDS[gateway].is_live(secrets.key),
            cipher=cipher.text,
            key_version=cipher.version,
            set_at=now,
            key_hint=secrets.key[-HINT:],
            takes_notices=bool(secrets.signing),
            # As of now nothing more is known of it; what was known of the one before must not stay.
            set_by="",
            account="",
            account_name="",
            checked_at=None,
            check_code="",
        )

    def open(self, account: GatewayAccountRow) -> Gateway:
        """The gateway, ready to be called. Raises TransitUnavailable."""
        return self.gateway(account.gateway, self.secrets(account).key)

    def gateway(self, name: str, key: str) -> Gateway:
        """A gateway by a key that is on no record yet."""
        return MeasuredGateway(self._gateways[name](key))

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


def is_of(row: ChargeRow | MandateRow, account: GatewayAccountRow | None) -> bool:
    """Whether a charge or a kept card can be of the agency's present account: no other account can say anything of it,
    nor charge it. Where a gateway does not tell whose a key is, it may be."""
    if account is None or (row.gateway, row.live) != (account.gateway, account.live):
        return False
    return row.account == account.account or not row.account or not account.account


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
