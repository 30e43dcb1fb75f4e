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
# A fault of ours, such as a mail that this version can't write, mends itself only by another version's worker: a few
# minutes for an upgrade with old and new side by side, then the agent should hear of it.
FAULT_TRIES: Final = 6
# A process that died while sending leaves its row in flight; after this long another may take it. Whoever lives renews
# their claim every so many seconds (leases.py), so that two processes never send the same row at once.
LEASE: Final = timedelta(seconds=6)
RENEW_SECONDS: Final = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The mail server has taken the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred:
    """Not now, perhaps later: the server is away, busy, or said 4xx (RFC 5321 §4.2.1)."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stumbled:
    """Wayvault itself failed. Tried again only a few times: most likely it will fail again."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Never: the server said 5xx, or nobody can make a message of it."""

    reason: str


Outcome = Sent | Deferred | Stumbled | Refused


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
            return _again(reason, most=len(PAUSES) + 1, attempts=attempts, now=now, expires_at=expires_at)
        case Stumbled(reason=reason):
            return _again(reason, most=FAULT_TRIES, attempts=attempts, now=now, expires_at=expires_at)


def _again(reason: str, *, most: int, attempts: int, now: datetime, expires_at: datetime | None) -> Next:
    if attempts >= most:
        return Next(state=DeliveryState.FAILED, reason=f"{reason} {_tried(attempts)} It was given up.")
    again = now + PAUSES[attempts - 1]
    if expires_at is not None and again >= expires_at:
        words = f"{reason} {_tried(attempts)} What it carried expires before the next try."
        return Next(state=DeliveryState.FAILED, reason=words)
    return Next(state=DeliveryState.QUEUED, next_attempt_at=again, reason=reason)


def _tried(attempts: int) -> str:
    """How hard it was tried, in words: "It was tried 13 times within a day."."""
    if attempts == 1:
        return "It was tried once."
    minutes = round(sum(PAUSES[: attempts - 1], timedelta()).total_seconds() / 60)
    if minutes < 2:
        span = "a minute or two"
    elif minutes < 120:
        span = f"{minutes} minutes"
    else:
        span = f"{round(minutes / 60)} hours"
    return f"It was tried {attempts} times within {span}."


def may(current: DeliveryState, following: DeliveryState) -> bool:
    """Whether the state machine has this step."""
    return following in TRANSITIONS[current]


def mask_address(address: str) -> str:
    """An address that a screen may show: "m***@harbour.example"."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}***@{domain}" if local else "***"
