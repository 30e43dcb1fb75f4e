"""What the room wants of the vault (services.portal.vault): a slot for the CVV of a stored card, and what the secure
frame sealed for it."""

from datetime import datetime
from typing import Protocol

from services.portal.origin import Origin
from services.portal.payment_request import PaymentRequest


class CvvIntakePort(Protocol):
    """The CVV half of the vault's CardIntake. Every method raises the refusals of chassis.errors."""

    def open_cvv_intake(self, *, idempotency_key: str, request: PaymentRequest, card_token: str, origin: Origin) -> str:
        """The id of a one-time slot. Raises CardGone when the card is destroyed."""
        ...

    def replace_cvv(self, *, idempotency_key: str, intake_id: str, sealed_cvv: str, origin: Origin) -> datetime:
        """Stores the sealed CVV; until when it is kept. The same key again: the same answer.

        Raises CardInvalid (with `field`), CardGone, IntakeExpired, IntakeUsed, SealBroken, Unavailable, …
        """
        ...
