"""What the room wants of the vault (services.portal.vault): a slot for a card, and the card that the frame sealed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.portal.origin import Origin
from services.portal.payment_request import PaymentRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """A one-time slot for one payment's card."""

    intake_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCard:
    """What is known of a card outside the vault (PCI DSS 4.0.1, 3.4.1)."""

    card_token: str
    brand: str
    last4: str
    cardholder_name: str
    card_kept_until: datetime
    cvv_kept_until: datetime | None


class CardIntakePort(Protocol):
    """The vault's CardIntake service. Every method raises the refusals of chassis.errors."""

    def open_intake(self, *, idempotency_key: str, request: PaymentRequest, origin: Origin) -> Intake:
        """A new slot for the payment's card, which only the request's agent will ever see."""
        ...

    def store_card(self, *, idempotency_key: str, intake_id: str, sealed_card: str, origin: Origin) -> StoredCard:
        """Stores the sealed card; one of the same payment is replaced. The same key again: the same answer.

        Raises CardInvalid (with `field`), IntakeExpired, IntakeUsed, SealBroken, Unavailable, …
        """
        ...
