"""Where a second reveal stands, and who may approve it. Pure.

The law of the room: two distinct enrolled people of one agency, the owner who asks and an approver whom the operator
named. An approval is good once and for half an hour; showing the card then takes a new code and a fresh grant as ever.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum, auto
from typing import Final, Protocol

from chassis.errors import PermissionDenied

# How long a request waits for an approver.
REQUEST_TTL: Final = timedelta(hours=24)
# How long an approval lets the owner retrieve the card once more.
APPROVAL_TTL: Final = timedelta(minutes=30)


class SecondState(StrEnum):
    """requested → approved → used; requested → refused; requested or approved → expired."""

    REQUESTED = auto()
    APPROVED = auto()
    USED = auto()
    REFUSED = auto()
    EXPIRED = auto()


class SecondEvent(StrEnum):
    """What can happen to a second reveal."""

    APPROVE = auto()
    REFUSE = auto()
    USE = auto()
    EXPIRE = auto()


SECOND_MOVES: Final[dict[tuple[SecondState, SecondEvent], SecondState]] = {
    (SecondState.REQUESTED, SecondEvent.APPROVE): SecondState.APPROVED,
    (SecondState.REQUESTED, SecondEvent.REFUSE): SecondState.REFUSED,
    (SecondState.APPROVED, SecondEvent.USE): SecondState.USED,
    (SecondState.REQUESTED, SecondEvent.EXPIRE): SecondState.EXPIRED,
    (SecondState.APPROVED, SecondEvent.EXPIRE): SecondState.EXPIRED,
}
ENDED: Final = (SecondState.USED, SecondState.REFUSED, SecondState.EXPIRED)
OPEN: Final = (SecondState.REQUESTED, SecondState.APPROVED)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondReveal:
    """A second reveal as its row says it is. `expires_at`: the request's, then the approval's."""

    id: str
    card_token: str
    agency_id: str
    owner_agent_id: str
    state: SecondState
    reason: str
    requested_at: datetime
    expires_at: datetime
    approver_id: str | None
    decided_at: datetime | None
    used_at: datetime | None

    def stands(self, now: datetime) -> bool:
        """Whether it is asked for or approved, and within its time, swept or not."""
        return self.state in OPEN and now < self.expires_at

    def lets(self, now: datetime) -> bool:
        """Whether the owner may retrieve the card once more now."""
        return self.state is SecondState.APPROVED and now < self.expires_at


class Person(Protocol):
    """What the law asks about a person: who they are to the register, and where their codes go."""

    @property
    def agent_id(self) -> str: ...
    @property
    def agency_id(self) -> str: ...
    @property
    def email(self) -> str: ...
    @property
    def approver(self) -> bool: ...


def same_person(one: Person, other: Person) -> bool:
    """One person with two enrolments is one person: two people differ in where their codes go, too."""
    return one.agent_id == other.agent_id or one.email.casefold() == other.email.casefold()


def check_pair(owner: Person, approver: Person) -> None:
    """Raises PermissionDenied unless `approver` may decide what `owner` asks."""
    if approver.agency_id != owner.agency_id:
        raise PermissionDenied("This request belongs to another agency.")
    if not approver.approver:
        raise PermissionDenied("The operator has not made you an approver of second reveals.")
    if same_person(owner, approver):
        raise PermissionDenied("A second reveal is approved by another person than the one who asks.")


def check_open(second: SecondReveal, now: datetime) -> None:
    """Raises PermissionDenied when the request can't be decided any more."""
    if second.state in (SecondState.APPROVED, SecondState.USED):
        raise PermissionDenied("This request is approved already.")
    if second.state is SecondState.REFUSED:
        raise PermissionDenied("This request is refused already.")
    if not second.stands(now):
        raise PermissionDenied("This request has expired. The agent can ask again.")
