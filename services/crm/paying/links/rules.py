"""What a payment authorization link may do when. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final


class LinkState(StrEnum):
    """`ISSUED` until the notifier says that the e-mail left; shown as "sending"."""

    ISSUED = "issued"
    SENT = "sent"
    OPENED = "opened"
    SUBMITTED = "submitted"
    EXPIRED = "expired"
    REVOKED = "revoked"


class LinkFact(StrEnum):
    DELIVERED = "delivered"
    OPENED = "opened"
    SUBMITTED = "submitted"
    EXPIRED = "expired"
    REVOKED = "revoked"
    RESENT = "resent"


L = LinkState
F = LinkFact

# A submission that the client saw accepted wins over an expiry or a revocation that crossed it.
# Events of portal and notifier are different aggregates, so "opened" may arrive before "delivered".
TRANSITIONS: Final[dict[tuple[LinkState, LinkFact], LinkState]] = {
    (L.ISSUED, F.DELIVERED): L.SENT,
    (L.ISSUED, F.OPENED): L.OPENED,
    (L.ISSUED, F.SUBMITTED): L.SUBMITTED,
    (L.ISSUED, F.EXPIRED): L.EXPIRED,
    (L.ISSUED, F.REVOKED): L.REVOKED,
    (L.ISSUED, F.RESENT): L.ISSUED,
    (L.SENT, F.OPENED): L.OPENED,
    (L.SENT, F.SUBMITTED): L.SUBMITTED,
    (L.SENT, F.EXPIRED): L.EXPIRED,
    (L.SENT, F.REVOKED): L.REVOKED,
    (L.SENT, F.RESENT): L.ISSUED,
    (L.OPENED, F.SUBMITTED): L.SUBMITTED,
    (L.OPENED, F.EXPIRED): L.EXPIRED,
    (L.OPENED, F.REVOKED): L.REVOKED,
    (L.OPENED, F.RESENT): L.OPENED,
    (L.EXPIRED, F.RESENT): L.ISSUED,
    (L.EXPIRED, F.SUBMITTED): L.SUBMITTED,
    (L.EXPIRED, F.REVOKED): L.REVOKED,
    (L.REVOKED, F.SUBMITTED): L.SUBMITTED,
}

# States in which the client can still use the link.
LIVE: Final = frozenset({L.ISSUED, L.SENT, L.OPENED})

STATE_WORDS: Final = {
    L.ISSUED: "sending",
    L.SENT: "sent",
    L.OPENED: "opened",
    L.SUBMITTED: "submitted",
    L.EXPIRED: "expired",
    L.REVOKED: "revoked",
}

DEFAULT_LIFETIME: Final = timedelta(days=7)


def after(state: LinkState, fact: LinkFact) -> LinkState | None:
    """The state that follows, or None where the fact can't happen in this state."""
    return TRANSITIONS.get((state, fact))


def is_over(*, state: LinkState, expires_at: datetime, now: datetime) -> bool:
    """Whether a live link has reached its end and is to be marked expired."""
    return state in LIVE and expires_at <= now
