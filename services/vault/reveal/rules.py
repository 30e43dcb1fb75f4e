"""Grants: one-time codes and one-time links. What may be done with one, and when. Pure.

A grant of kind CARD_CODE or CVV_CODE is a challenge, answered with a code; one of kind CVV_LINK is answered with the
link's token. CARD_CODE and CVV_LINK end in showing something, to one recipient key.
APPROVE_CODE proves who approves a second reveal (M9), and shows nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum, auto
from typing import Final

from chassis.errors import (
    AlreadyRevealed,
    Busy,
    CodeExpired,
    CodeLocked,
    LinkExpired,
    LinkUsed,
    WayvaultError,
)

# docs/security.md, Single use [PCI DSS 8.5.1; ASVS 6.6.2, 6.6.3].
CODE_DIGITS: Final = 8
MOST_ATTEMPTS: Final = 5
MOST_CHALLENGES: Final = 3
CHALLENGE_WINDOW: Final = timedelta(hours=1)
# How long a process may take from taking a grant to showing what it grants; a crashed one's grant opens again then.
LEASE: Final = timedelta(seconds=10)


class GrantKind(StrEnum):
    """What answering the grant leads to."""

    CARD_CODE = auto()
    CVV_CODE = auto()
    CVV_LINK = auto()
    APPROVE_CODE = auto()


# Codes of which kinds count together against MOST_CHALLENGES: an approver's don't use up the owner's.
COUNTED_TOGETHER: Final[dict[GrantKind, tuple[GrantKind, ...]]] = {
    GrantKind.CARD_CODE: (GrantKind.CARD_CODE, GrantKind.CVV_CODE),
    GrantKind.CVV_CODE: (GrantKind.CARD_CODE, GrantKind.CVV_CODE),
    GrantKind.APPROVE_CODE: (GrantKind.APPROVE_CODE,),
}


class GrantState(StrEnum):
    """The machine (docs/design.md, States): open → redeeming → revealed; open → expired | locked."""

    OPEN = auto()
    REDEEMING = auto()
    REVEALED = auto()
    EXPIRED = auto()
    LOCKED = auto()


class GrantEvent(StrEnum):
    """What can happen to a grant."""

    TAKE = auto()
    GIVE_BACK = auto()
    REVEAL = auto()
    EXPIRE = auto()
    LOCK = auto()


# REDEEMING takes part in TAKE, EXPIRE and LOCK only once its lease is over (see `judge` and grants.py).
GRANT_MOVES: Final[dict[tuple[GrantState, GrantEvent], GrantState]] = {
    (GrantState.OPEN, GrantEvent.TAKE): GrantState.REDEEMING,
    (GrantState.REDEEMING, GrantEvent.TAKE): GrantState.REDEEMING,
    (GrantState.REDEEMING, GrantEvent.GIVE_BACK): GrantState.OPEN,
    (GrantState.REDEEMING, GrantEvent.REVEAL): GrantState.REVEALED,
    (GrantState.OPEN, GrantEvent.EXPIRE): GrantState.EXPIRED,
    (GrantState.REDEEMING, GrantEvent.EXPIRE): GrantState.EXPIRED,
    (GrantState.OPEN, GrantEvent.LOCK): GrantState.LOCKED,
    (GrantState.REDEEMING, GrantEvent.LOCK): GrantState.LOCKED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A grant as its row says it is. `recipient`: whom it was taken by; `answer`: what was sealed to them.

    `agent_id`: who may answer it. `second_reveal_id`: the second reveal that an APPROVE_CODE approves, or by whose
    approval a CARD_CODE shows the card once more.
    """

    id: str
    kind: GrantKind
    card_token: str
    agent_id: str
    state: GrantState
    secret_hash: bytes
    attempts: int
    purpose: str
    created_at: datetime
    expires_at: datetime
    recipient: bytes | None
    lease_until: datetime | None
    revealed_at: datetime | None
    answer: str | None
    answer_until: datetime | None
    second_reveal_id: str | None = None

    def leased(self, now: datetime) -> bool:
        """Whether some process is redeeming it right now."""
        return self.state is GrantState.REDEEMING and self.lease_until is not None and now < self.lease_until


class Verdict(StrEnum):
    """What a caller may do with a grant."""

    GO_ON = auto()
    REPEAT = auto()


def judge(grant: Grant, recipient: bytes, now: datetime) -> Verdict:
    """GO_ON: it may be answered. REPEAT: this very recipient gets the kept answer again.

    Raises what stands in the way: AlreadyRevealed, LinkUsed, CodeExpired, LinkExpired, CodeLocked, Busy.
    """
    match grant.state:
        case GrantState.REVEALED:
            # Compared by value: the recipient is the hash of a public key, and no secret.
            if grant.recipient == recipient and grant.answer is not None and _before(now, grant.answer_until):
                return Verdict.REPEAT
            raise used(grant.kind)
        case GrantState.EXPIRED:
            raise expired(grant.kind)
        case GrantState.LOCKED:
            raise CodeLocked
        case GrantState.OPEN | GrantState.REDEEMING:
            if grant.leased(now):
                raise Busy
            if now >= grant.expires_at:
                raise expired(grant.kind)
            return Verdict.GO_ON


def used(kind: GrantKind) -> WayvaultError:
    """The refusal of a grant that was used by somebody else, or too long ago to repeat."""
    match kind:
        case GrantKind.CARD_CODE:
            return AlreadyRevealed()
        case GrantKind.CVV_CODE | GrantKind.APPROVE_CODE:
            return CodeExpired("That code was already used. Ask for a new one.")
        case GrantKind.CVV_LINK:
            return LinkUsed()


def expired(kind: GrantKind) -> WayvaultError:
    """The refusal of a grant past its time, or superseded by a newer one."""
    return LinkExpired() if kind is GrantKind.CVV_LINK else CodeExpired()


def _before(now: datetime, moment: datetime | None) -> bool:
    return moment is not None and now < moment
