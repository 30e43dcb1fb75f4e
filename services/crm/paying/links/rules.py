"""What a payment authorization link may do when. Pure."""

from datetime import timedelta
from enum import StrEnum
from typing import Final

from services.crm.core.course import Course


class LinkState(StrEnum):
    """The course of every request to a client (core.course)."""

    ISSUED = "issued"
    SENT = "sent"
    OPENED = "opened"
    SUBMITTED = "submitted"
    EXPIRED = "expired"
    REVOKED = "revoked"


L = LinkState

COURSE: Final = Course(
    issued=L.ISSUED,
    sent=L.SENT,
    opened=L.OPENED,
    answers=frozenset({L.SUBMITTED}),
    expired=L.EXPIRED,
    withdrawn=L.REVOKED,
)
# States in which the client can still use the link.
LIVE: Final = COURSE.waiting

STATE_WORDS: Final = {
    L.ISSUED: "sending",
    L.SENT: "sent",
    L.OPENED: "opened",
    L.SUBMITTED: "submitted",
    L.EXPIRED: "expired",
    L.REVOKED: "revoked",
}

DEFAULT_LIFETIME: Final = timedelta(days=7)
