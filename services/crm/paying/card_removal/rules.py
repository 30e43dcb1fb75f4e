"""When a card may be removed by hand, and how often the vault is asked to destroy one. Pure."""

from typing import Final

from services.crm.paying.payments.rules import CLOSED, Allowed, Decision, PaymentState, Refused

# What an agent has to type to remove the card of a payment that is still open (M8).
REMOVE_WORD: Final = "REMOVE"

# Pauses between tries to have the vault destroy a card, in seconds; the last one repeats.
REMOVAL_PAUSES: Final = (1, 2, 5, 10, 30, 60)


def may_remove(state: PaymentState, *, card_held: bool, typed: str) -> Decision:
    """M8: by hand only once the payment is closed, unless the agent typed the confirmation."""
    if not card_held:
        return Refused(why="There is no card in the vault for this payment.")
    if state in CLOSED or typed.strip() == REMOVE_WORD:
        return Allowed()
    return Refused(
        why="This payment is not closed yet: without its card you can't charge it. "
        f"To remove the card all the same, type {REMOVE_WORD}."
    )


def pause_before_try(tries_made: int) -> int:
    """Seconds to wait after `tries_made` failed tries."""
    return REMOVAL_PAUSES[min(max(tries_made, 1), len(REMOVAL_PAUSES)) - 1]
