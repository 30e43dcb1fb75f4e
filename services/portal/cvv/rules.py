"""What a CVV link is worth. Pure."""

from datetime import datetime
from enum import StrEnum


class CvvLinkState(StrEnum):
    """What has happened to the link. Expiry follows from the time."""

    ISSUED = "issued"
    OPENED = "opened"
    SUPPLIED = "supplied"
    REPLACED = "replaced"


class CvvLinkStatus(StrEnum):
    """What the person who holds the link meets."""

    OPEN = "open"
    SUPPLIED = "supplied"
    EXPIRED = "expired"
    REPLACED = "replaced"
    CLOSED = "closed"


def status_of(state: CvvLinkState, *, expires_at: datetime, payment_over: bool, now: datetime) -> CvvLinkStatus:
    """`payment_over`: the payment is closed or its card destroyed, so no CVV is needed any more."""
    match state:
        case CvvLinkState.SUPPLIED:
            return CvvLinkStatus.SUPPLIED
        case CvvLinkState.REPLACED:
            return CvvLinkStatus.REPLACED
        case CvvLinkState.ISSUED | CvvLinkState.OPENED:
            if payment_over:
                return CvvLinkStatus.CLOSED
            return CvvLinkStatus.EXPIRED if now >= expires_at else CvvLinkStatus.OPEN
