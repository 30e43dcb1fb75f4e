"""What a payment authorization link is worth (docs/design.md, States; M1, M2).

A link is a row per payment. Whoever brings one of its tokens gets in; the link itself says what they find:
the form, the state of their payment, or a kind page.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from services.portal.course import Course, Place

# How long a payment that a client started themselves waits for their signature.
OWN_PAYMENT_VALID = timedelta(hours=24)


class LinkState(StrEnum):
    """What has happened to the link. Expiry is not a state: it follows from the time."""

    ISSUED = "issued"
    OPENED = "opened"
    SUBMITTED = "submitted"
    REVOKED = "revoked"


COURSE: Final = Course(
    issued=LinkState.ISSUED,
    opened=LinkState.OPENED,
    answered=LinkState.SUBMITTED,
    withdrawn=LinkState.REVOKED,
    # The client pressed "Authorize" while the revocation was still on its way: their consent and their card are in, so
    # the authorization stands, and the agent, who reads of it, voids it.
    answer_wins=True,
)


class LinkStatus(StrEnum):
    """What the person who holds the link meets."""

    OPEN = "open"
    SUBMITTED = "submitted"
    EXPIRED = "expired"
    REVOKED = "revoked"


_STATUS: Final = {
    Place.OPEN: LinkStatus.OPEN,
    Place.ANSWERED: LinkStatus.SUBMITTED,
    Place.EXPIRED: LinkStatus.EXPIRED,
    Place.WITHDRAWN: LinkStatus.REVOKED,
}


def status_of(state: LinkState, *, expires_at: datetime, now: datetime) -> LinkStatus:
    """What a link is worth at `now`. A submitted link never expires: it leads to the payment's state (P8)."""
    return _STATUS[COURSE.place(state, expires_at=expires_at, now=now)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to submit, held by one request at a time, so that two submissions can't replace each
    other's card in the vault. `until` frees a link whose request died."""

    attempt_id: str
    until: datetime


class SubmissionDecision(StrEnum):
    """Whether a submission may go ahead."""

    GO = "go"
    ALREADY_AUTHORIZED = "already_authorized"
    UNDER_WAY = "under_way"
    EXPIRED = "expired"
    REVOKED = "revoked"


def decide_submission(
    state: LinkState, *, expires_at: datetime, claim: Claim | None, now: datetime
) -> SubmissionDecision:
    """Whether a submission may start now."""
    match status_of(state, expires_at=expires_at, now=now):
        case LinkStatus.SUBMITTED:
            return SubmissionDecision.ALREADY_AUTHORIZED
        case LinkStatus.EXPIRED:
            return SubmissionDecision.EXPIRED
        case LinkStatus.REVOKED:
            return SubmissionDecision.REVOKED
        case LinkStatus.OPEN:
            return SubmissionDecision.UNDER_WAY if claim is not None and claim.until > now else SubmissionDecision.GO
