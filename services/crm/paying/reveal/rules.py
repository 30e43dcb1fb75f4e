"""When a code may be asked for, and where in the work an agent stands. Pure."""

from datetime import datetime
from enum import IntEnum
from typing import Final

from services.crm.paying.payments.rules import PaymentState

# The stepper of the payment area.
STEPS: Final = ("Supplier ready", "Code", "Card shown", "CVV", "Close")


class Step(IntEnum):
    """Where the stepper stands; DONE is past its last step."""

    SUPPLIER_READY = 0
    CODE = 1
    CARD_SHOWN = 2
    CVV = 3
    CLOSE = 4
    DONE = 5


def step_of(state: PaymentState, *, cvv_held: bool) -> Step | None:
    """Where a freshly loaded page stands; None before the client has authorized."""
    match state:
        case PaymentState.AUTHORIZED:
            return Step.SUPPLIER_READY
        case PaymentState.RETRIEVED:
            return Step.CVV if cvv_held else Step.CLOSE
        case PaymentState.PROCESSED:
            return Step.DONE
        case _:
            return None


def purpose_words(supplier: str, amount: str) -> str:
    """What the vault writes into its audit trail as the reason of a reveal (M12)."""
    return f"Supplier ready: {supplier or 'the agency'}, {amount}".replace("\u00a0", " ")[:200]


def code_refusal(state: PaymentState, *, retrieved_at: datetime | None) -> str:
    """Why no code can be sent for showing the card; empty when one can."""
    if state is PaymentState.AUTHORIZED:
        return ""
    if retrieved_at is not None:
        return "This card was already shown, and a card is shown only once."
    return {
        PaymentState.LAPSED: "This card lapsed and was destroyed before it was shown.",
        PaymentState.VOIDED: "This payment is void and its card is destroyed.",
    }.get(state, "The client has not authorized this payment yet, so there is no card to show.")
