"""What capturing needs of others: the masker, the vault's intake, the trail."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from chassis.ids import new_id
from services.vault.phone.calls.masker import Masker
from services.vault.phone.capture.sessions import Purpose, Session, StoredCard


class MediaThread(Protocol):
    """The thread that owns the masker."""

    def post(self, work: Callable[[Masker, float], None]) -> None:
        """Does the work there, soon, with the time; never within what is under way."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedCard:
    """A card to be stored. `number`, `expiry` (MMYY) and `cvv` are memory that the caller overwrites afterwards."""

    session_id: str
    # Counts the times the agent asked: each is another request to the vault.
    attempt: int
    number: bytearray
    expiry: bytearray
    cvv: bytearray
    name: str


class CardStore(Protocol):
    """The vault's intake."""

    def store(self, card: KeyedCard, purpose: Purpose) -> StoredCard:
        """Seals and stores. Raises a WayvaultError: CardInvalid, Unavailable and others."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One line of the trail; `agency_id` and `agent_id` are empty when no session can be told."""

    id: str = field(default_factory=lambda: new_id("act"))
    action: str
    refused: bool = False
    reason: str = ""
    session_id: str = ""
    agency_id: str = ""
    agent_id: str = ""
    payment_id: str = ""


class Trail(Protocol):
    """Where acts are recorded; returns at once and keeps trying."""

    def record(self, act: Act) -> None: ...


def act_of(session: Session | None, action: str, *, refused: bool, reason: str) -> Act:
    """An act of a session, or one of which no session can be told."""
    purpose = session.purpose if session else None
    return Act(
        action=action,
        refused=refused,
        reason=reason,
        session_id=session.id if session else "",
        agency_id=purpose.agency_id if purpose else "",
        agent_id=purpose.agent_id if purpose else "",
        payment_id=purpose.payment_id if purpose else "",
    )
