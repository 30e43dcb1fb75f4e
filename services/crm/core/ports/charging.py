"""The port to the program `charging`, as the CRM needs it. Nothing here ever holds card data.

Every method raises chassis.errors.WayvaultError. Unavailable and DeadlineTooShort of `charge` and `refund` mean that it
is not known whether the call arrived: `charges_of` tells.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from services.crm.core.ports.vault import Origin


class ChargeState(StrEnum):
    """Where a charge stands (charging.proto, ChargeState)."""

    INTENT = "intent"
    ASKING = "asking"
    SUCCEEDED = "succeeded"
    DECLINED = "declined"
    NEEDS_CLIENT = "needs_client"
    FAILED = "failed"
    VOIDED = "voided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """A charge as charging has it on record."""

    id: str
    state: ChargeState
    amount_minor: int
    currency: str
    refunded_minor: int
    refunds_open: bool
    gateway: str
    live: bool
    reason: str = ""
    next_step: str = ""
    client_url: str = ""
    reference: str = ""
    settled_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayDetail:
    """An agency's gateway. Not `live`: test mode, no money moves."""

    name: str
    live: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeOrder:
    """What is to be charged."""

    agency_id: str
    payment_id: str
    card_token: str
    agent_id: str
    amount_minor: int
    currency: str
    description: str


class ChargingPort(Protocol):
    """Charging (protos/wayvault/vault/v1/charging.proto)."""

    def gateway_of(self, agency_id: str) -> GatewayDetail | None:
        """The agency's gateway; None when it has none."""
        ...

    def charge(self, order: ChargeOrder, *, idempotency_key: str, origin: Origin) -> Charge: ...

    def refund(
        self,
        *,
        idempotency_key: str,
        agency_id: str,
        charge_id: str,
        agent_id: str,
        amount_minor: int,
        reason: str,
        origin: Origin,
    ) -> Charge: ...

    def void(
        self, *, idempotency_key: str, agency_id: str, charge_id: str, agent_id: str, origin: Origin
    ) -> Charge: ...

    def charges_of(self, agency_id: str, payment_id: str) -> list[Charge]:
        """A payment's charges, newest first."""
        ...
