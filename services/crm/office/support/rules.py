"""What a support ticket is and how it moves. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

LONGEST_SUBJECT = 120
LONGEST_TEXT = 4000


class TicketState(StrEnum):
    """Whose turn it is: open = an admin's, answered = the agent's, closed = nobody's."""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


class TicketFact(StrEnum):
    """What somebody does with a ticket."""

    ASKED = "asked"
    ANSWERED = "answered"
    CLOSED = "closed"


_NEXT: dict[tuple[TicketState, TicketFact], TicketState] = {
    # Whoever writes once more takes a closed ticket up again.
    **{(state, TicketFact.ASKED): TicketState.OPEN for state in TicketState},
    **{(state, TicketFact.ANSWERED): TicketState.ANSWERED for state in TicketState},
    (TicketState.OPEN, TicketFact.CLOSED): TicketState.CLOSED,
    (TicketState.ANSWERED, TicketFact.CLOSED): TicketState.CLOSED,
}


def after(state: TicketState, fact: TicketFact) -> TicketState | None:
    """The state after a fact, or None where it can't happen."""
    return _NEXT.get((state, fact))


def fact_of_words(*, by_author: bool) -> TicketFact:
    """What it means that somebody writes: the author asks, anybody else answers."""
    return TicketFact.ASKED if by_author else TicketFact.ANSWERED


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketMessage:
    """One thing that was written. `own` = by the agent whose ticket it is."""

    author_name: str
    own: bool
    text: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A ticket as lists show it."""

    id: str
    agent_id: str
    agent_name: str
    subject: str
    state: TicketState
    opened_at: datetime
    changed_at: datetime
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketDetail:
    """A ticket with all that was written, oldest first."""

    ticket: Ticket
    messages: tuple[TicketMessage, ...]
