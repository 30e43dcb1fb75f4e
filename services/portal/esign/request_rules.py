"""What a request for a signature is worth (C7, C8, P5, P7). Pure."""

from datetime import datetime
from enum import StrEnum


class RequestKind(StrEnum):
    """What is signed."""

    DOCUMENT = "document"
    INSURANCE = "insurance"


class RequestState(StrEnum):
    """What has happened to the request. Expiry is not a state: it follows from the time."""

    ISSUED = "issued"
    OPENED = "opened"
    SIGNED = "signed"
    WITHDRAWN = "withdrawn"


class RequestFact(StrEnum):
    """What can happen to a request."""

    REISSUED = "reissued"
    OPENED = "opened"
    SIGNED = "signed"
    WITHDRAWN = "withdrawn"


_S, _F = RequestState, RequestFact

# What was signed stays signed, whatever arrives later; what was taken back first can't be signed any more.
_NEXT: dict[tuple[RequestState, RequestFact], RequestState] = {
    (_S.ISSUED, _F.REISSUED): _S.ISSUED,
    (_S.ISSUED, _F.OPENED): _S.OPENED,
    (_S.ISSUED, _F.SIGNED): _S.SIGNED,
    (_S.ISSUED, _F.WITHDRAWN): _S.WITHDRAWN,
    (_S.OPENED, _F.REISSUED): _S.OPENED,
    (_S.OPENED, _F.OPENED): _S.OPENED,
    (_S.OPENED, _F.SIGNED): _S.SIGNED,
    (_S.OPENED, _F.WITHDRAWN): _S.WITHDRAWN,
    **{(_S.SIGNED, fact): _S.SIGNED for fact in _F},
    **{(_S.WITHDRAWN, fact): _S.WITHDRAWN for fact in _F},
}


def next_state(state: RequestState, fact: RequestFact) -> RequestState:
    """The state after a fact. Total: every fact has an answer in every state."""
    return _NEXT[state, fact]


class RequestStatus(StrEnum):
    """What the person who is asked meets."""

    OPEN = "open"
    SIGNED = "signed"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


def status_of(state: RequestState, *, expires_at: datetime, now: datetime) -> RequestStatus:
    """What a request is worth at `now`. A signed one never expires: it leads to its copy."""
    match state:
        case RequestState.SIGNED:
            return RequestStatus.SIGNED
        case RequestState.WITHDRAWN:
            return RequestStatus.WITHDRAWN
        case RequestState.ISSUED | RequestState.OPENED:
            return RequestStatus.EXPIRED if now >= expires_at else RequestStatus.OPEN
