"""The port to the program `charging`, as the CRM needs it. Nothing here ever holds card data.

Every method raises chassis.errors.WayvaultError. Unavailable and DeadlineTooShort of `charge` and `refund` mean that it
is not known whether the call arrived: `charges_of` tells.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from chassis.money import Money
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


HOSTED_PAGE: Final = "hosted_page"


class RefundState(StrEnum):
    """Where a refund stands (charging.proto, RefundState)."""

    ASKING = "asking"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """A refund as charging has it on record. `problem`: why one failed, in words."""

    id: str
    state: RefundState
    amount_minor: int
    problem: str = ""
    settled_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """A charge as charging has it on record."""

    id: str
    state: ChargeState
    amount_minor: int
    currency: str
    refunded_minor: int
    gateway: str
    live: bool
    # charging's ListReasons; HOSTED_PAGE where the client types the card on the gateway's page.
    reason_code: str = ""
    reason: str = ""
    next_step: str = ""
    client_url: str = ""
    reference: str = ""
    settled_at: datetime | None = None
    refunds: tuple[Refund, ...] = ()
    # Charging's name for the card that the gateway keeps since this charge, or that was charged.
    mandate_id: str = ""
    # Of one that was declined: it may pass by itself, so the same card may be tried again on a later day.
    may_pass: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """A charge of a report. `fee`: what the gateway kept of it; None where it does not say."""

    charge: Charge
    payment_id: str
    agent_id: str
    made_at: datetime
    fee: Money | None = None

    @property
    def amount(self) -> Money:
        return Money(minor=self.charge.amount_minor, currency=self.charge.currency)

    @property
    def refunded(self) -> Money:
        return Money(minor=self.charge.refunded_minor, currency=self.charge.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerAnswer:
    """Newest first. `problem`: why there are no fees, in words. `more`: there are others in the time."""

    entries: tuple[LedgerEntry, ...]
    problem: str = ""
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutLine:
    """What is in a payout. `payment_id` and `agent_id` are empty where Wayvault did not ask for it; `mismatch` says
    what doesn't agree with our books. `kind`: charge, refund, returned or other."""

    kind: str
    reference: str
    payment_id: str
    agent_id: str
    gross: Money
    fee: Money
    net: Money
    at: datetime
    words: str
    mismatch: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutDetail:
    """What the gateway sent to the agency's bank."""

    reference: str
    amount: Money
    arrives_at: datetime
    state: str
    lines: tuple[PayoutLine, ...]
    mismatch: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutsAnswer:
    """Newest first. `problem`: why there are none, in words."""

    payouts: tuple[PayoutDetail, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundOrder:
    """What is to be given back of a charge. The same `id` again asks for nothing new. `approver_id`: the second person,
    where the agency wants one."""

    id: str
    agency_id: str
    charge_id: str
    agent_id: str
    amount_minor: int
    reason: str
    approver_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refunded:
    """The charge after a refund was asked for, and which of its refunds that is."""

    charge: Charge
    refund_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayDetail:
    """An agency's gateway. Not `live`: test mode, no money moves. `keeps_cards`: for later charges.

    Of its key: who entered it (an agent's id, or OPERATOR), when, its last characters, whose account it is as the
    gateway told, when the gateway was last asked about it and what it said against it.
    """

    name: str
    live: bool
    keeps_cards: bool = False
    set_by: str = ""
    set_at: datetime | None = None
    key_hint: str = ""
    account: str = ""
    account_name: str = ""
    checked_at: datetime | None = None
    check_problem: str = ""
    # Whether what it signs its messages with is known, so that they are believed.
    takes_notices: bool = False
    # What another account could not go on with: cards that this one keeps, and refunds that are on their way.
    kept_cards: int = 0
    open_refunds: int = 0
    # Cards kept by accounts that the agency has left (`mandate_id`): they can't be charged any more.
    left_mandates: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayKind:
    """What can be done through a gateway: whether it keeps cards for later charges, tells its fees and payouts, and
    sends messages that are taken."""

    name: str
    keeps_cards: bool
    tells_books: bool
    takes_notices: bool


OPERATOR: Final = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEntry:
    """A sealed form in which one admin enters their agency's keys: to whom it was opened, and what came of it."""

    agency_id: str
    agent_id: str
    entry_id: str
    sealed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeOrder:
    """What is to be charged: a card of the vault, which the gateway is to keep or not, or one that it keeps."""

    agency_id: str
    payment_id: str
    card_token: str
    agent_id: str
    amount_minor: int
    currency: str
    description: str
    keep_card: bool = False
    mandate_id: str = ""


class ChargingPort(Protocol):
    """Charging (protos/wayvault/vault/v1/charging.proto)."""

    def gateway_of(self, agency_id: str) -> GatewayDetail | None:
        """The agency's gateway; None when it has none."""
        ...

    def gateways(self) -> list[GatewayKind]:
        """The gateways that there are."""
        ...

    def check_gateway(self, agency_id: str) -> GatewayDetail:
        """Has the gateway asked now whether it accepts the agency's key."""
        ...

    def open_key_entry(self, agency_id: str, agent_id: str, gateway: str, *, origin: Origin) -> str:
        """A slot for this admin to enter keys in the secure frame, good once; gives its id."""
        ...

    def enter_key(self, entry: KeyEntry, *, idempotency_key: str, origin: Origin) -> GatewayDetail:
        """Passes on what the frame sealed. Raises InvalidArgument with the field that the gateway or charging refuses;
        then the key from before stays."""
        ...

    def reasons(self) -> dict[str, str]:
        """What each code means by which a gateway declines, in words."""
        ...

    def charge(self, order: ChargeOrder, *, idempotency_key: str, origin: Origin) -> Charge: ...

    def refund(self, order: RefundOrder, *, origin: Origin) -> Refunded: ...

    def void(
        self, *, idempotency_key: str, agency_id: str, charge_id: str, agent_id: str, origin: Origin
    ) -> Charge: ...

    def end_mandate(self, agency_id: str, mandate_id: str) -> None:
        """The gateway forgets a card that it keeps. May be repeated."""
        ...

    def take_notice(self, agency_id: str, body: bytes, signature: str) -> list[str]:
        """Passes a gateway's signed message on; returns the payments concerned. PermissionDenied: it is not theirs."""
        ...

    def ledger(self, agency_id: str, since: datetime, until: datetime) -> LedgerAnswer:
        """What an agency asked for in a time, whatever became of it."""
        ...

    def payouts(self, agency_id: str, since: datetime, until: datetime) -> PayoutsAnswer:
        """What its gateway sent to its bank in a time."""
        ...

    def charges_of(self, agency_id: str, payment_id: str) -> list[Charge]:
        """A payment's charges, newest first."""
        ...
