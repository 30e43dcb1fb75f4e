"""The card's and the CVV's states, and how long each may live. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum, auto
from typing import Final

# docs/product.md M11: the caps of any agency's policy.
MAX_CARD_DAYS: Final = 180
MAX_CVV_HOURS: Final = 72


class CardState(StrEnum):
    """Where a card stands. `REMOVED` and `LAPSED`: its ciphertexts no longer exist."""

    STORED = auto()
    REVEALED = auto()
    REMOVED = auto()
    LAPSED = auto()


class CardEvent(StrEnum):
    """What can happen to a card."""

    REVEAL = auto()
    SHOW_AGAIN = auto()
    REMOVE = auto()
    LAPSE = auto()


class CvvState(StrEnum):
    """Where a CVV stands. Only in `HELD` and `LINKED` does its ciphertext exist."""

    NONE = auto()
    HELD = auto()
    LINKED = auto()
    SHOWN = auto()
    PURGED = auto()


class CvvEvent(StrEnum):
    """What can happen to a CVV."""

    SUPPLY = auto()
    LINK = auto()
    SHOW = auto()
    PURGE = auto()


# docs/design.md, States. A card that was shown and never closed lapses too: M11 knows no exception.
CARD_MOVES: Final[dict[tuple[CardState, CardEvent], CardState]] = {
    (CardState.STORED, CardEvent.REVEAL): CardState.REVEALED,
    # By an approved second reveal only (M9).
    (CardState.REVEALED, CardEvent.SHOW_AGAIN): CardState.REVEALED,
    (CardState.STORED, CardEvent.REMOVE): CardState.REMOVED,
    (CardState.REVEALED, CardEvent.REMOVE): CardState.REMOVED,
    (CardState.STORED, CardEvent.LAPSE): CardState.LAPSED,
    (CardState.REVEALED, CardEvent.LAPSE): CardState.LAPSED,
}

# A second link replaces the first; a CVV asked for again (M10) may be supplied whatever became of the one before.
CVV_MOVES: Final[dict[tuple[CvvState, CvvEvent], CvvState]] = {
    (CvvState.NONE, CvvEvent.SUPPLY): CvvState.HELD,
    (CvvState.HELD, CvvEvent.SUPPLY): CvvState.HELD,
    (CvvState.LINKED, CvvEvent.SUPPLY): CvvState.HELD,
    (CvvState.SHOWN, CvvEvent.SUPPLY): CvvState.HELD,
    (CvvState.PURGED, CvvEvent.SUPPLY): CvvState.HELD,
    (CvvState.HELD, CvvEvent.LINK): CvvState.LINKED,
    (CvvState.LINKED, CvvEvent.LINK): CvvState.LINKED,
    (CvvState.LINKED, CvvEvent.SHOW): CvvState.SHOWN,
    (CvvState.HELD, CvvEvent.PURGE): CvvState.PURGED,
    (CvvState.LINKED, CvvEvent.PURGE): CvvState.PURGED,
}

LIVE_CARD: Final = frozenset({CardState.STORED, CardState.REVEALED})
LIVE_CVV: Final = frozenset({CvvState.HELD, CvvState.LINKED})


def card_sources(event: CardEvent) -> tuple[CardState, ...]:
    """The states from which a card can take part in `event`, for the WHERE of a conditional UPDATE."""
    return tuple(state for state, happening in CARD_MOVES if happening is event)


def cvv_sources(event: CvvEvent) -> tuple[CvvState, ...]:
    """The same for a CVV."""
    return tuple(state for state, happening in CVV_MOVES if happening is event)


def card_target(event: CardEvent) -> CardState:
    """The one state that `event` leads to."""
    (target,) = {after for (_, happening), after in CARD_MOVES.items() if happening is event}
    return target


def cvv_target(event: CvvEvent) -> CvvState:
    """The same for a CVV."""
    (target,) = {after for (_, happening), after in CVV_MOVES.items() if happening is event}
    return target


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """One agency's policy at the time a form was opened: days for the card, hours for the CVV (0 = never stored)."""

    card_days: int
    cvv_hours: int

    def card_kept_until(self, stored_at: datetime) -> datetime:
        """When the card lapses at the latest. Caps hold whatever the policy says."""
        return stored_at + timedelta(days=min(max(self.card_days, 1), MAX_CARD_DAYS))

    def cvv_kept_until(self, stored_at: datetime, card_kept_until: datetime) -> datetime | None:
        """When the CVV is purged at the latest; None when it must not be stored. Never outlives its card."""
        hours = min(self.cvv_hours, MAX_CVV_HOURS)
        return min(stored_at + timedelta(hours=hours), card_kept_until) if hours > 0 else None
