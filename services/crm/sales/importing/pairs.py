"""Rows that look like somebody known or like a row before them: what they say differently, and what is to become of
each. Pure; which value wins is said by the merging room's rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from services.crm.sales.clients.rules import WORDS, ClientData, ClientDetail, ProfileField
from services.crm.sales.importing.matching import Likeness
from services.crm.sales.merging.rules import Choice, Side, choices, merged_data

# Of somebody who stays although an import made them: they were changed or used since.
KEPT_WHOLE: Final = "*"
# The two have nothing to do with when they were entered: what stands in the profile is suggested before the file's.
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


class Decision(StrEnum):
    """What becomes of a row that looks like somebody."""

    UPDATE = "update"
    ADD = "add"
    LEAVE = "leave"


DECISION_WORDS: Final = {
    Decision.UPDATE: "Update the client",
    Decision.ADD: "Add as a new client",
    Decision.LEAVE: "Leave out",
}
OUTCOME_WORDS: Final = {
    Decision.UPDATE: "Client updated",
    Decision.ADD: "Added as a new client",
    Decision.LEAVE: "Left out",
}
Sides = Mapping[ProfileField, Side]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What an agent decided of a row. A field without a side gets what is suggested."""

    client_id: str
    decision: Decision
    sides: Sides


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A row and whom it looks like, field by field. `known` None = that client is gone, or the file is."""

    place: int
    number: int
    name: str
    client_id: str
    likeness: Likeness
    in_file: bool
    known: ClientData | None
    choices: tuple[Choice, ...]
    decision: Decision | None
    sides: Sides
    outcome: Decision | None

    @property
    def chosen(self) -> dict[ProfileField, Side]:
        return {choice.field: self.sides.get(choice.field, choice.suggested) for choice in self.choices}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """How many rows differ in the same fields, and of how many something was decided."""

    differs: str
    rows: int
    decided: int

    @property
    def words(self) -> str:
        """ "differ only in phone and notes"."""
        s = "s" if self.rows == 1 else ""
        return f"differ{s} only in {in_these(self.differs)}" if self.differs else f"say{s} nothing new"


def in_these(fields: str) -> str:
    """Fields' names with commas between, in words: "phone and notes"."""
    names = [WORDS[ProfileField(field)].lower() for field in fields.split(",")]
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def row_choices(known: ClientData, row: ClientData) -> tuple[Choice, ...]:
    """Every field that the row says something of, with the merging room's suggestion."""
    mine, theirs = _detail(known), _detail(row)
    return tuple(choice for choice in choices(mine, theirs, {}, {}) if choice.other)


def differing(known: ClientData, row: ClientData) -> tuple[ProfileField, ...]:
    """The fields in which the row says something else."""
    return tuple(choice.field for choice in row_choices(known, row) if not choice.settled)


def updated(known: ClientData, row: ClientData, sides: Sides) -> ClientData:
    """The client with what was chosen; what the row says nothing of stays."""
    chosen = {choice.field: sides.get(choice.field, choice.suggested) for choice in row_choices(known, row)}
    return merged_data(known, row, chosen)


def _detail(data: ClientData) -> ClientDetail:
    return ClientDetail(id="", agency_id="", agent_id="", data=data, created_at=_NEVER, updated_at=_NEVER, version=0)
