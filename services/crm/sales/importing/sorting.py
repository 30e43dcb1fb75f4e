"""What becomes of each row of a chunk: a new client, an update of one, or nothing. Nothing is written here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from chassis.ids import derived_id
from chassis.typed.names import full_name
from services.crm.sales.clients.rules import WORDS, ClientData, changed_fields
from services.crm.sales.groups.service import Belongs, GroupKind
from services.crm.sales.importing.matching import Known, Likeness, Match, Policy
from services.crm.sales.importing.pairs import Decided, Decision, Sides
from services.crm.sales.importing.rows import ReadRow, Refused
from services.crm.sales.importing.rules import Counts, Example, Sorted
from services.crm.sales.importing.tables import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """A known client and what a row says of them. `sides` None = what they lack is filled in."""

    client_id: str
    data: ClientData
    sides: Sides | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Likely:
    """A row that looks like somebody: by its place and number in the file."""

    place: int
    number: int
    data: ClientData
    match: Match


@dataclass(slots=True, kw_only=True)
class Course:
    """What goes with an import from chunk to chunk. `brought`: the clients of the rows so far, by id."""

    import_id: str
    policies: Mapping[Likeness, Policy]
    decided: Mapping[int, Decided]
    known: Known
    counts: Counts
    shown: Sorted = field(default_factory=Sorted)
    brought: dict[str, ClientData] = field(default_factory=dict)


class Chunk:
    """Some rows, sorted by what becomes of them."""

    def __init__(self, course: Course, first: int) -> None:
        self._course, self._first = course, first
        self.new: list[tuple[str, ClientData]] = []
        self.updates: list[Update] = []
        self.belongs: list[Belongs] = []
        self.alike: list[Likely] = []
        self.outcomes: list[tuple[int, Decision]] = []

    def sort(self, read: Sequence[ReadRow | Refused], table: Table) -> None:
        """Looks at each row in its order."""
        for at, row in enumerate(read):
            place = self._first + at
            if isinstance(row, Refused):
                self._course.counts.refused += 1
                self._course.shown.add(Example(row=place + table.first_row, name="", why=row.why))
            else:
                self._place(row, place, place + table.first_row)

    def _place(self, row: ReadRow, place: int, number: int) -> None:
        match = self._course.known.find(row.data)
        decided = self._course.decided.get(place)
        if match is not None:
            self._note(match, row.data, number)
            self.alike.append(Likely(place=place, number=number, data=row.data, match=match))
        if decided is not None:
            outcome = self._as_decided(row, place, decided)
        elif match is None:
            outcome = self._add(row, place)
        else:
            outcome = self._by_policy(row, place, match)
        if match is not None or decided is not None:
            self.outcomes.append((place, outcome))

    def _as_decided(self, row: ReadRow, place: int, decided: Decided) -> Decision:
        """Whoever was to be updated may be gone by now: then the row is a client of its own."""
        if decided.decision is Decision.LEAVE:
            return self._leave()
        if decided.decision is Decision.UPDATE and decided.client_id in self._course.known:
            return self._update(row, Update(client_id=decided.client_id, data=row.data, sides=decided.sides))
        return self._add(row, place)

    def _by_policy(self, row: ReadRow, place: int, match: Match) -> Decision:
        policy = self._course.policies[match.likeness]
        if policy is Policy.ADD:
            return self._add(row, place)
        if policy is Policy.SKIP:
            return self._leave()
        return self._update(row, Update(client_id=match.client_id, data=row.data))

    def _add(self, row: ReadRow, place: int) -> Decision:
        client_id = derived_id("client", f"{self._course.import_id} {place}")
        self._course.counts.created += 1
        self.new.append((client_id, row.data))
        self._course.known.add(client_id, row.data)
        self._course.brought[client_id] = row.data
        self._belong(client_id, row)
        return Decision.ADD

    def _update(self, row: ReadRow, update: Update) -> Decision:
        self._course.counts.merged += 1
        self.updates.append(update)
        self._belong(update.client_id, row)
        return Decision.UPDATE

    def _leave(self) -> Decision:
        self._course.counts.skipped += 1
        return Decision.LEAVE

    def _belong(self, client_id: str, row: ReadRow) -> None:
        for kind, name in ((GroupKind.COMPANY, row.company), (GroupKind.HOUSEHOLD, row.household)):
            if name:
                self.belongs.append(Belongs(client_id=client_id, kind=kind, name=name))

    def _note(self, match: Match, data: ClientData, number: int) -> None:
        counts = self._course.counts
        if match.likeness is Likeness.SURE:
            counts.sure += 1
        else:
            counts.name_only += 1
        name = full_name(data.first_name, data.last_name)
        empty = ClientData(first_name=data.first_name, last_name=data.last_name)
        brings = tuple(WORDS[each] for each in changed_fields(empty, data))
        example = Example(row=number, name=name, client_id=match.client_id, likeness=match.likeness.value, fills=brings)
        self._course.shown.add(example)
