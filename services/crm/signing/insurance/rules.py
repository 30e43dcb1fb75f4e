"""The course of an insurance offer. Pure."""

from datetime import timedelta
from enum import StrEnum
from typing import Final

from services.crm.core.course import Course


class OfferState(StrEnum):
    """The course of every request to a client (core.course); nobody is told of an opening, only the answer counts."""

    ISSUED = "issued"
    SENT = "sent"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


COURSE: Final = Course(
    issued=OfferState.ISSUED,
    sent=OfferState.SENT,
    opened=None,
    answers=frozenset({OfferState.ACCEPTED, OfferState.DECLINED}),
    expired=OfferState.EXPIRED,
    withdrawn=OfferState.WITHDRAWN,
)
LIFETIME: Final = timedelta(days=14)
MAX_PLAN: Final = 120
