"""What happens on which day, of every room that knows of something: the lines of a calendar. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from zoneinfo import ZoneInfo


class DayKind(StrEnum):
    """What a line of a calendar is about, in the order in which a day shows them."""

    DEPARTURE = "departure"
    RETURN = "return"
    DUE = "due"
    LAPSE = "lapse"
    TASK = "task"
    BIRTHDAY = "birthday"


@dataclass(frozen=True, slots=True, kw_only=True)
class DayLine:
    """A line of a calendar. `thing_id` is the booking's, payment's, task's or client's, where the line leads;
    `part_id` tells apart several lines of one thing on one day (due amounts, members of a family)."""

    on: date
    kind: DayKind
    thing_id: str
    title: str
    detail: str
    agent_id: str
    part_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The first few lines of each day, and how many there are on each."""

    lines: Sequence[DayLine]
    counts: Mapping[date, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a calendar shows: the days, both included, and whose. Agents are named, so that each room's index by agent
    serves admins too; no more than `most` lines of a kind are wanted of a day."""

    first: date
    last: date
    agent_ids: tuple[str, ...]
    most: int
    # By whose clock moments are days.
    zone: ZoneInfo
