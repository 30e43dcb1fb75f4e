"""What a request for a signature is worth (C7, C8, P5, P7). Pure."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from services.portal.course import Course, Place


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


COURSE: Final = Course(
    issued=RequestState.ISSUED,
    opened=RequestState.OPENED,
    answered=RequestState.SIGNED,
    withdrawn=RequestState.WITHDRAWN,
    # The agent may have sent another text meanwhile.
    answer_wins=False,
)


class RequestStatus(StrEnum):
    """What the person who is asked meets."""

    OPEN = "open"
    SIGNED = "signed"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


_STATUS: Final = {
    Place.OPEN: RequestStatus.OPEN,
    Place.ANSWERED: RequestStatus.SIGNED,
    Place.EXPIRED: RequestStatus.EXPIRED,
    Place.WITHDRAWN: RequestStatus.WITHDRAWN,
}


def status_of(state: RequestState, *, expires_at: datetime, now: datetime) -> RequestStatus:
    """What a request is worth at `now`. A signed one never expires: it leads to its copy."""
    return _STATUS[COURSE.place(state, expires_at=expires_at, now=now)]
