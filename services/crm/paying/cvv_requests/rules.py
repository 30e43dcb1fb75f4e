"""When the client may be asked for the CVV again, and where such a request stands. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from services.crm.paying.payments.rules import PENDING, PaymentState

# Long enough for a weekend; never longer than the card lives.
LIFETIME: Final = timedelta(days=3)


class CvvRequestState(StrEnum):
    """issued → sent → supplied; issued or sent → replaced by a newer one. Expiry follows from the time."""

    ISSUED = "issued"
    SENT = "sent"
    SUPPLIED = "supplied"
    REPLACED = "replaced"


OPEN: Final = (CvvRequestState.ISSUED, CvvRequestState.SENT)


def is_open(state: CvvRequestState, *, expires_at: datetime, now: datetime) -> bool:
    """Whether the client can still answer it."""
    return state in OPEN and now < expires_at


def ask_refusal(state: PaymentState, *, card_held: bool, cvv_held: bool, cvv_hours: int) -> str:
    """Why the client can't be asked for the CVV again; empty when they can."""
    if state not in PENDING:
        return "This payment does not wait for you any more, so its CVV is not needed."
    if not card_held:
        return "The card is destroyed, so a CVV alone is of no use. Ask the client for the card again."
    if cvv_hours == 0:
        return "Your agency never stores a CVV. Ask the client by phone while the supplier is on the line."
    if cvv_held:
        return "The vault still has the CVV: use Email CVV code."
    return ""


def expiry(now: datetime, card_kept_until: datetime | None) -> datetime:
    """When a request made now ends."""
    return min(now + LIFETIME, card_kept_until) if card_kept_until is not None else now + LIFETIME
