"""The delivery's states, when it is tried again, and what its end means. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final


class DeliveryState(StrEnum):
    """queued → in_flight → sent | failed; in_flight falls back to queued when a try did not succeed."""

    QUEUED = "queued"
    IN_FLIGHT = "in_flight"
    SENT = "sent"
    FAILED = "failed"


TRANSITIONS: Final[dict[DeliveryState, frozenset[DeliveryState]]] = {
    DeliveryState.QUEUED: frozenset({DeliveryState.IN_FLIGHT}),
    DeliveryState.IN_FLIGHT: frozenset({DeliveryState.QUEUED, DeliveryState.SENT, DeliveryState.FAILED}),
    DeliveryState.SENT: frozenset(),
    DeliveryState.FAILED: frozenset(),
}

# The pauses after the first, second … try that did not succeed; about a day in all, then the delivery has failed.
PAUSES: Final = tuple(
    timedelta(seconds=seconds) for seconds in (2, 5, 15, 60, 300, 900, 1800, 3600, 7200, 14400, 28800, 28800)
)
# A process that died while sending leaves its row in flight; after this long another may take it.
# Longer than the SMTP conversation's own limit, so that two processes never send the same row at once.
LEASE: Final = timedelta(seconds=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The mail server has taken the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred:
    """Not now, perhaps later: the server is away, busy, or said 4xx (RFC 5321 §4.2.1)."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Never: the server said 5xx, or the message can't be made."""

    reason: str


Outcome = Sent | Deferred | Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """What becomes of a delivery after a try."""

    state: DeliveryState
    next_attempt_at: datetime | None = None
    reason: str = ""


def after_try(outcome: Outcome, *, attempts: int, now: datetime, expires_at: datetime | None) -> Next:
    """Decides from a try's outcome. `attempts` counts this try; past `expires_at` a next one is not worth it."""
    match outcome:
        case Sent():
            return Next(state=DeliveryState.SENT)
        case Refused(reason=reason):
            return Next(state=DeliveryState.FAILED, reason=reason)
        case Deferred(reason=reason):
            if attempts > len(PAUSES):
                return Next(state=DeliveryState.FAILED, reason=reason)
            again = now + PAUSES[attempts - 1]
            if expires_at is not None and again >= expires_at:
                return Next(state=DeliveryState.FAILED, reason=f"{reason} What it carried has expired meanwhile.")
            return Next(state=DeliveryState.QUEUED, next_attempt_at=again, reason=reason)


def may(current: DeliveryState, following: DeliveryState) -> bool:
    """Whether the state machine has this step."""
    return following in TRANSITIONS[current]


def mask_address(address: str) -> str:
    """An address that a screen may show: "m***@harbour.example"."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}***@{domain}" if local else "***"
