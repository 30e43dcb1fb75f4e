"""Where a second reveal stands for the CRM, when one may be asked for, and how long a step-up lasts. Pure.

The vault has the last word on all of it; these rules say early and in plain words what it would refuse.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from services.crm.paying.payments.rules import PaymentState

LONGEST_REASON: Final = 200
# How long an admin's authenticator code counts for the request that they opened with it.
PROOF_LASTS: Final = timedelta(minutes=10)
SUGGESTED_REASONS: Final = (
    "My browser closed before I had passed the card on.",
    "The supplier's page lost what I had entered.",
    "The supplier asks for the number once more.",
)


class SecondState(StrEnum):
    """requested → approved → used; requested → refused. Expiry follows from the time."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"
    USED = "used"


class SecondStatus(StrEnum):
    """What a page shows of one."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"
    USED = "used"
    EXPIRED = "expired"


def status_of(state: SecondState, *, ends_at: datetime, now: datetime) -> SecondStatus:
    """`ends_at`: of the request, or of the approval once it is approved."""
    if state in (SecondState.REQUESTED, SecondState.APPROVED) and now >= ends_at:
        return SecondStatus.EXPIRED
    return SecondStatus(state.value)


def ask_refusal(state: PaymentState, *, card_held: bool, allowed: bool, asked: bool) -> str:
    """Why a second reveal can't be asked for; empty when it can."""
    if not allowed:
        return "Your agency does not allow second reveals. Ask the client again instead; the booking is kept."
    if state is not PaymentState.RETRIEVED:
        return "Only a card that was shown and whose payment is still open can be shown a second time."
    if not card_held:
        return "This card is destroyed already, so it can't be shown again. Ask the client again instead."
    if asked:
        return "A second reveal of this card is asked for already."
    return ""


def proof_holds(proven: object, second_id: str, now: datetime) -> bool:
    """Whether the session's step-up is for this request, and fresh. `proven`: what the session keeps of it."""
    if not isinstance(proven, dict) or proven.get("for") != second_id:
        return False
    at = proven.get("at")
    return isinstance(at, int) and 0 <= now.timestamp() - at < PROOF_LASTS.total_seconds()
