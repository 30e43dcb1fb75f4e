"""Where an insurance offer stands. Pure."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Final


class OfferState(StrEnum):
    """`ISSUED` until the notifier says that the e-mail left; shown as "sending"."""

    ISSUED = "issued"
    SENT = "sent"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class OfferFact(StrEnum):
    DELIVERED = "delivered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    REMINDED = "reminded"


_S, _F = OfferState, OfferFact
_UNANSWERED = (_S.ISSUED, _S.SENT, _S.EXPIRED, _S.WITHDRAWN)

# An answer that the client saw accepted wins over an expiry or a withdrawal that crossed it.
TRANSITIONS: Final[Mapping[tuple[OfferState, OfferFact], OfferState]] = {
    (_S.ISSUED, _F.DELIVERED): _S.SENT,
    (_S.ISSUED, _F.EXPIRED): _S.EXPIRED,
    (_S.SENT, _F.EXPIRED): _S.EXPIRED,
    (_S.ISSUED, _F.WITHDRAWN): _S.WITHDRAWN,
    (_S.SENT, _F.WITHDRAWN): _S.WITHDRAWN,
    (_S.EXPIRED, _F.WITHDRAWN): _S.WITHDRAWN,
    (_S.ISSUED, _F.REMINDED): _S.ISSUED,
    (_S.SENT, _F.REMINDED): _S.ISSUED,
    (_S.EXPIRED, _F.REMINDED): _S.ISSUED,
    **{(state, _F.ACCEPTED): _S.ACCEPTED for state in _UNANSWERED},
    **{(state, _F.DECLINED): _S.DECLINED for state in _UNANSWERED},
}
# States in which the client can still answer.
WAITING: Final = frozenset({_S.ISSUED, _S.SENT})
LIFETIME: Final = timedelta(days=14)
MAX_PLAN: Final = 120


def after(state: OfferState, fact: OfferFact) -> OfferState | None:
    """The state that follows, or None where the fact can't happen in this state."""
    return TRANSITIONS.get((state, fact))
