"""How far a visit is: a function of its parts, each of which goes its own course. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class PartKind(StrEnum):
    """What a part is."""

    INSURANCE = "insurance"
    DOCUMENT = "document"
    PAYMENT = "payment"


class PartStatus(StrEnum):
    """What the client meets there. `WITHDRAWN`: taken back, or settled in another way."""

    OPEN = "open"
    DONE = "done"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Standing(StrEnum):
    """How far the whole is. `ENDED`: something was done, and nothing more waits."""

    WAITING = "waiting"
    PARTLY = "partly"
    ENDED = "ended"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part as it stands. `title` names it for the client, `outcome` says what they did ("Accepted", "Signed")."""

    part_id: str
    kind: PartKind
    title: str
    detail: str
    status: PartStatus
    outcome: str
    expires_at: datetime

    @property
    def is_open(self) -> bool:
        return self.status is PartStatus.OPEN


def standing(parts: Sequence[PartStatus]) -> Standing:
    """How far a visit with these parts is. One without any waits for what is still on its way."""
    done = PartStatus.DONE in parts
    if PartStatus.OPEN in parts or not parts:
        return Standing.PARTLY if done else Standing.WAITING
    if done:
        return Standing.ENDED
    return Standing.EXPIRED if PartStatus.EXPIRED in parts else Standing.WITHDRAWN


def next_part(parts: Sequence[Part], after: str = "") -> Part | None:
    """What to go on with: the first open part behind `after`, else the first open one; None when none waits."""
    ids = [part.part_id for part in parts]
    behind = ids.index(after) + 1 if after in ids else 0
    return next((part for part in (*parts[behind:], *parts[:behind]) if part.is_open), None)
