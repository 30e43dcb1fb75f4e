"""How far a visit is: its own letter goes one course, and each part its own. Pure."""

from collections.abc import Collection
from datetime import timedelta
from enum import StrEnum
from typing import Final

from services.crm.core.course import Course


class VisitState(StrEnum):
    """The course of every request to a client (core.course)."""

    ISSUED = "issued"
    SENT = "sent"
    OPENED = "opened"
    DONE = "done"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


COURSE: Final = Course(
    issued=VisitState.ISSUED,
    sent=VisitState.SENT,
    opened=VisitState.OPENED,
    answers=frozenset({VisitState.DONE}),
    expired=VisitState.EXPIRED,
    withdrawn=VisitState.WITHDRAWN,
)
# As long as a payment link; a reminder begins the time anew for all that was not answered.
LIFETIME: Final = timedelta(days=7)
MOST_DOCUMENTS: Final = 10


class PartState(StrEnum):
    """How far a part is, whatever its own room calls that. `WITHDRAWN`: taken back, or settled in another way."""

    WAITING = "waiting"
    DONE = "done"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Shown(StrEnum):
    """What the agent reads of the whole."""

    SENDING = "sending"
    SENT = "sent"
    OPENED = "opened"
    PARTLY = "partly"
    DONE = "done"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


def shown(state: VisitState, parts: Collection[PartState]) -> Shown:
    """How far the whole is. What was answered in the parts says more than the letter's own course."""
    done = PartState.DONE in parts
    if PartState.WAITING in parts:
        if done:
            return Shown.PARTLY
        return {VisitState.ISSUED: Shown.SENDING, VisitState.OPENED: Shown.OPENED}.get(state, Shown.SENT)
    if state is VisitState.WITHDRAWN:
        return Shown.WITHDRAWN
    if PartState.EXPIRED in parts:
        return Shown.EXPIRED
    return Shown.DONE if done else Shown.WITHDRAWN


def can_remind(state: VisitState, parts: Collection[PartState]) -> bool:
    """Whether something can still be asked for again."""
    return state is not VisitState.WITHDRAWN and bool({PartState.WAITING, PartState.EXPIRED} & set(parts))


def can_withdraw(state: VisitState, parts: Collection[PartState]) -> bool:
    """Whether something can still be taken back."""
    return can_remind(state, parts)
