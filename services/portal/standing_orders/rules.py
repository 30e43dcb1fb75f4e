"""Where a standing order stands, for its client, and what they may ask for. Pure."""

from datetime import date
from enum import StrEnum
from typing import Final


class OrderState(StrEnum):
    """The CRM's states (StandingOrderTold.state)."""

    PROPOSED = "proposed"
    ACTIVE = "active"
    PAUSED = "paused"
    CARD_NEEDED = "card_needed"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


STATE_WORDS: Final = {
    OrderState.PROPOSED: "Waiting for your signature",
    OrderState.ACTIVE: "Active",
    OrderState.PAUSED: "Paused",
    OrderState.CARD_NEEDED: "Card needed",
    OrderState.COMPLETED: "Completed",
    OrderState.CANCELLED: "Cancelled",
}
_ENDED: Final = frozenset({OrderState.COMPLETED, OrderState.CANCELLED})


def may_cancel(state: OrderState, *, asked: bool) -> bool:
    """Whether the client may cancel it: until it has ended, and once."""
    return state not in _ENDED and not asked


def may_change_card(*, offered: bool, opens: date | None, today: date, asked: bool, cancelling: bool) -> bool:
    """Whether the client may ask for a link by which they give another card. `offered`: the CRM says that it can be,
    from the day `opens` on."""
    return offered and not asked and not cancelling and (opens is None or opens <= today)
