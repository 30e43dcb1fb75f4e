"""The states of an import, and what may be done in each. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from services.crm.sales.clients.rules import ClientData
from services.crm.sales.importing.columns import Target
from services.crm.sales.importing.matching import Likeness, Policy
from services.crm.sales.importing.rows import Reading
from services.crm.sales.importing.tables import Layout

UNDO_FOR: Final = timedelta(days=1)
MAX_BYTES: Final = 11 * 1024 * 1024
EXAMPLES: Final = 30


class ImportState(StrEnum):
    """UPLOADED waits for the columns; CHECKING, RUNNING and UNDOING are the worker's; CHECKED waits for the agent's
    yes; DONE, UNDONE and FAILED are ends."""

    UPLOADED = "uploaded"
    CHECKING = "checking"
    CHECKED = "checked"
    RUNNING = "running"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"
    FAILED = "failed"


S = ImportState
STATE_WORDS: Final = {
    S.UPLOADED: "Match the columns",
    S.CHECKING: "Being checked",
    S.CHECKED: "Ready to import",
    S.RUNNING: "Being imported",
    S.DONE: "Imported",
    S.UNDOING: "Being undone",
    S.UNDONE: "Undone",
    S.FAILED: "Failed",
}
BY_WORKER: Final = frozenset({S.CHECKING, S.RUNNING, S.UNDOING})
# From where an agent may ask for each step.
STEPS: Final[Mapping[ImportState, frozenset[ImportState]]] = {
    S.CHECKING: frozenset({S.UPLOADED, S.CHECKED, S.FAILED}),
    S.RUNNING: frozenset({S.CHECKED}),
    S.UNDOING: frozenset({S.DONE}),
}
AFTER: Final = {S.CHECKING: S.CHECKED, S.RUNNING: S.DONE, S.UNDOING: S.UNDONE}


@dataclass(slots=True, kw_only=True)
class Counts:
    """What became of rows, or at an undo of clients. `kept` = changed since, so not undone."""

    created: int = 0
    merged: int = 0
    skipped: int = 0
    refused: int = 0
    sure: int = 0
    name_only: int = 0
    removed: int = 0
    restored: int = 0
    kept: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A row of the dry run that is worth a look: a known client with what would be filled in, or a refusal."""

    row: int
    name: str
    client_id: str = ""
    likeness: str = ""
    fills: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientImport:
    """An import as pages see one."""

    id: str
    agent_id: str
    file_name: str
    state: ImportState
    layout: Layout
    reading: Reading | None
    policies: Mapping[Likeness, Policy]
    total: int
    done: int
    counts: Counts
    examples: tuple[Example, ...]
    problem: str
    created_at: datetime
    finished_at: datetime | None

    @property
    def is_moving(self) -> bool:
        return self.state in BY_WORKER

    @property
    def percent(self) -> int:
        return 100 * self.done // self.total if self.total else 0

    def can_undo(self, now: datetime) -> bool:
        """For a day after it was brought in."""
        return self.state is S.DONE and self.finished_at is not None and now < self.finished_at + UNDO_FOR


DEFAULT_POLICIES: Final = {Likeness.SURE: Policy.MERGE, Likeness.NAME: Policy.ADD}


def pack_client(data: ClientData) -> dict[str, Any]:
    """A client as JSON."""
    return asdict(data) | {"birthday": data.birthday.isoformat() if data.birthday else ""}


def unpack_client(kept: Mapping[str, Any]) -> ClientData:
    """A client from JSON."""
    birthday = kept["birthday"]
    return ClientData(**dict(kept) | {"birthday": date.fromisoformat(birthday) if birthday else None})


def pack_layout(layout: Layout) -> dict[str, Any]:
    # What processes read that know of no other row than the first.
    return asdict(layout) | {"has_header": layout.header > 0}


def unpack_layout(kept: Mapping[str, Any]) -> Layout:
    header = kept.get("header", int(kept["has_header"]))
    return Layout(encoding=kept["encoding"], separator=kept["separator"], header=header)


def pack_reading(reading: Reading) -> dict[str, Any]:
    return {"targets": [each.value for each in reading.targets], "day_first": reading.day_first}


def unpack_reading(kept: Mapping[str, Any]) -> Reading | None:
    """None while the columns are not matched yet."""
    if not kept:
        return None
    return Reading(targets=tuple(Target(each) for each in kept["targets"]), day_first=kept["day_first"])


def pack_example(example: Example) -> dict[str, Any]:
    return {**asdict(example), "fills": list(example.fills)}


def unpack_example(kept: Mapping[str, Any]) -> Example:
    return Example(**{**kept, "fills": tuple(kept["fills"])})


@dataclass(slots=True)
class Sorted:
    """The rows of the dry run that are shown, so many of each kind."""

    known: list[Example] = field(default_factory=list)
    refused: list[Example] = field(default_factory=list)

    def add(self, example: Example) -> None:
        among = self.refused if example.why else self.known
        if len(among) < EXAMPLES:
            among.append(example)
