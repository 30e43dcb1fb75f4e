"""The port to the card vault, as the CRM needs it. Nothing here ever holds card data in the clear.

Every method raises chassis.errors.WayvaultError: Unavailable or DeadlineTooShort mean that nothing was used up.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Removal(StrEnum):
    """Why a card was destroyed."""

    PROCESSED = "processed"
    VOIDED = "voided"
    BY_HAND = "by_hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a person's request came from, for the vault's audit trail."""

    ip: str = ""
    user_agent: str = ""


class CardState(StrEnum):
    STORED = "stored"
    REVEALED = "revealed"
    REMOVED = "removed"
    LAPSED = "lapsed"


class CvvState(StrEnum):
    NONE = "none"
    HELD = "held"
    LINKED = "linked"
    SHOWN = "shown"
    PURGED = "purged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """A one-time code that the vault made; `sealed_mail` goes to the notifier unopened."""

    challenge_id: str
    sealed_mail: str = field(repr=False)
    expires_at: datetime
    address_hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A sealed answer that only the frame which asked can open."""

    sealed_answer: str = field(repr=False)
    at: datetime
    card_token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CvvLinkMail:
    """The letter with the one-time CVV link."""

    sealed_mail: str = field(repr=False)
    expires_at: datetime
    address_hint: str
    card_token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondRevealAsked:
    """A second reveal that waits for another enrolled person (M9)."""

    id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Until when the owner may retrieve the card once more."""

    second_reveal_id: str
    good_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CardDescription:
    """What the vault tells about a card without showing it."""

    state: CardState
    cvv_state: CvvState
    card_kept_until: datetime | None = None
    cvv_kept_until: datetime | None = None
    revealed_at: datetime | None = None
    cvv_shown_at: datetime | None = None
    removed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCard:
    """A card that the vault took by telephone and still has. `cvv_kept_until` is None when no CVV is kept."""

    token: str
    brand: str
    last4: str
    kept_until: datetime
    cvv_kept_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessEntry:
    """One row of the vault's audit trail about a card."""

    at: datetime
    action: str
    ok: bool
    actor: str
    reason: str
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolledAgent:
    """Somebody who can receive one-time codes. `address_hint` is where they go, masked."""

    agent_id: str
    address_hint: str
    approver: bool


class RegisterPort(Protocol):
    """AgentRegister (protos/wayvault/vault/v1/vault.proto)."""

    def enrolled(self, agency_id: str) -> list[EnrolledAgent]: ...


class KeyedCards(Protocol):
    """What the room of payments by phone asks CardCustody."""

    def find_keyed_card(self, *, phone_session_id: str, agent_id: str) -> StoredCard | None:
        """The live card that was keyed in a session of the agent's; None when there is none."""
        ...


class VaultPort(RegisterPort, KeyedCards, Protocol):
    """CardReveal, SecondReveal, CardCustody and AgentRegister (protos/wayvault/vault/v1/vault.proto)."""

    def request_reveal(
        self, *, idempotency_key: str, card_token: str, agent_id: str, purpose: str, origin: Origin
    ) -> Challenge: ...

    def confirm_reveal(self, *, agent_id: str, sealed_request: str, origin: Origin) -> Answer: ...

    def request_cvv(self, *, idempotency_key: str, card_token: str, agent_id: str, origin: Origin) -> Challenge: ...

    def confirm_cvv(self, *, agent_id: str, sealed_request: str, origin: Origin) -> CvvLinkMail: ...

    def redeem_cvv_link(self, *, agent_id: str, sealed_request: str, origin: Origin) -> Answer: ...

    def request_second_reveal(
        self, *, idempotency_key: str, card_token: str, agent_id: str, reason: str, origin: Origin
    ) -> SecondRevealAsked: ...

    def request_approval(
        self, *, idempotency_key: str, second_reveal_id: str, approver_id: str, origin: Origin
    ) -> Challenge: ...

    def confirm_approval(self, *, approver_id: str, sealed_request: str, origin: Origin) -> Approval: ...

    def refuse_second_reveal(
        self, *, idempotency_key: str, second_reveal_id: str, approver_id: str, word: str, origin: Origin
    ) -> datetime: ...

    def describe_card(self, *, card_token: str, agent_id: str) -> CardDescription: ...

    def list_access(self, *, card_token: str, agent_id: str) -> list[AccessEntry]: ...

    def remove_card(
        self, *, idempotency_key: str, card_token: str, agent_id: str, reason: Removal, origin: Origin
    ) -> datetime: ...
