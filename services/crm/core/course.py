"""Where a request to a client stands, and what may happen to it when. Pure.

Payment links, documents to sign and insurance offers take the same course under names of their own.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

S = TypeVar("S", bound=StrEnum)


class Fact(StrEnum):
    """What happens to a request besides its answer."""

    DELIVERED = "delivered"
    OPENED = "opened"
    REMINDED = "reminded"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Course(Generic[S]):
    """The states that one kind of request goes through.

    `issued`: until the notifier says that the e-mail left; shown as "sending". `opened`: None where openings are not
    told. `answers`: what the client can answer; an answer is final.
    """

    issued: S
    sent: S
    opened: S | None
    answers: frozenset[S]
    expired: S
    withdrawn: S

    @property
    def waiting(self) -> frozenset[S]:
        """States in which the client can still answer."""
        return frozenset(state for state in (self.issued, self.sent, self.opened) if state is not None)

    def after(self, state: S, fact: Fact) -> S | None:
        """The state that follows, or None where the fact can't happen in this state.

        Portal and notifier tell of different aggregates, so "opened" may arrive before "delivered".
        """
        waits = state in self.waiting
        match fact:
            case Fact.DELIVERED:
                return self.sent if state is self.issued else None
            case Fact.OPENED:
                return self.opened if state in (self.issued, self.sent) else None
            case Fact.REMINDED if state is self.opened:
                return self.opened
            case Fact.REMINDED:
                return self.issued if waits or state is self.expired else None
            case Fact.EXPIRED:
                return self.expired if waits else None
            case Fact.WITHDRAWN:
                return self.withdrawn if waits or state is self.expired else None

    def allows(self, state: S, fact: Fact) -> bool:
        """Whether the fact can happen in this state."""
        return self.after(state, fact) is not None

    def answered(self, state: S, answer: S) -> S | None:
        """The state after the client's answer, or None where another answer came first.

        An answer that the client saw accepted wins over an expiry or a withdrawal that crossed it.
        """
        open_to_answers = self.waiting | {self.expired, self.withdrawn}
        return answer if answer in self.answers and state in open_to_answers else None

    def is_over(self, state: S, *, expires_at: datetime, now: datetime) -> bool:
        """Whether a waiting request has reached its end and is to be marked expired."""
        return state in self.waiting and expires_at <= now
