"""What the portal does with a request that came with a link: it is opened, answered, taken back. Pure.

Payment links and what is to be signed take the same course under names of their own.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

S = TypeVar("S", bound=StrEnum)


class Fact(StrEnum):
    """What can happen to a request."""

    REISSUED = "reissued"
    OPENED = "opened"
    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"


class Place(StrEnum):
    """Where a request is on its course, for whoever holds its link."""

    OPEN = "open"
    ANSWERED = "answered"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Course(Generic[S]):
    """The states that one kind of request goes through. Expiry is not a state: it follows from the time.

    `answer_wins`: an answer that was under way when the request was taken back stands.
    """

    issued: S
    opened: S
    answered: S
    withdrawn: S
    answer_wins: bool

    def after(self, state: S, fact: Fact) -> S:
        """The state after a fact. Total: every fact has an answer in every state.

        What was answered stays so, whatever comes later; a request that was taken back stays so when its letter is sent
        again late, and nobody can open it.
        """
        match fact:
            case Fact.REISSUED:
                return state
            case Fact.OPENED:
                return self.opened if state is self.issued else state
            case Fact.ANSWERED:
                return state if state is self.withdrawn and not self.answer_wins else self.answered
            case Fact.WITHDRAWN:
                return state if state is self.answered else self.withdrawn

    def place(self, state: S, *, expires_at: datetime, now: datetime) -> Place:
        """Where a request is at `now`. One that was answered never expires: it leads to its copy, or to what became of
        it."""
        if state is self.answered:
            return Place.ANSWERED
        if state is self.withdrawn:
            return Place.WITHDRAWN
        return Place.EXPIRED if now >= expires_at else Place.OPEN
