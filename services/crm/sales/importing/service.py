"""Use cases of imports: take a file, match its columns, try it, bring it in, undo it. The worker does what is long."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import date

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from chassis.cards.detector import holds_card, in_cells
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import InvalidArgument, NotFound
from chassis.ids import new_id
from chassis.typed.file_names import file_name as clean_name
from services.crm.core.actor import Actor
from services.crm.sales.importing.columns import guess_columns
from services.crm.sales.importing.matching import Likeness, Policy
from services.crm.sales.importing.models import ClientImportPairRow, ClientImportRow
from services.crm.sales.importing.rows import Reading, Refused, is_day_first, read_row
from services.crm.sales.importing.rules import (
    DEFAULT_POLICIES,
    MAX_BYTES,
    STEPS,
    UNDO_FOR,
    ClientImport,
    Counts,
    ImportState,
    pack_layout,
    pack_reading,
    unpack_example,
    unpack_layout,
    unpack_reading,
)
from services.crm.sales.importing.tables import (
    REFUSED_TITLES,
    Layout,
    NotATable,
    Table,
    beside_the_rows,
    guess_layout,
    read_table,
)

__all__ = ["ClientImport", "Imports"]

_LISTED = 20
# Fewer digits are no card number.
_CARD_DIGITS = 12


class Imports:
    """What an agent does with imports. Everything here is the agent's own: nobody else's clients are meant."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def upload(self, actor: Actor, file_name: str, content: bytes) -> ClientImport:
        """Keeps the file with a guess of how it is read. Raises InvalidArgument for what is no list, is too large, or
        holds a card number: then nothing of it is kept."""
        if len(content) > MAX_BYTES:
            raise InvalidArgument(f"This file is larger than {MAX_BYTES // 1024 // 1024} MB. Split it.", field="file")
        try:
            layout = guess_layout(content)
            table = read_table(content, layout)
        except NotATable as error:
            raise InvalidArgument(str(error), field="file") from error
        _refuse_cards(content, layout, table)
        now = self._clock.now()
        row = ClientImportRow(
            id=new_id("import"),
            agency_id=actor.agency_id,
            agent_id=actor.agent_id,
            file_name=clean_name(file_name),
            content=content,
            state=ImportState.UPLOADED.value,
            layout=pack_layout(layout),
            reading={},
            policies={likeness.value: policy.value for likeness, policy in DEFAULT_POLICIES.items()},
            total=len(table.rows),
            done=0,
            counts=asdict(Counts()),
            examples=[],
            problem="",
            lease="",
            lease_until=now,
            created_at=now,
        )
        with self._database.transaction() as session:
            session.add(row)
            session.flush()
            return import_of(row)

    def list_own(self, actor: Actor) -> list[ClientImport]:
        """The agent's imports, the newest first."""
        query = (
            select(ClientImportRow)
            .where(ClientImportRow.agent_id == actor.agent_id)
            .order_by(ClientImportRow.created_at.desc())
        )
        with self._database.read() as session:
            return [import_of(row) for row in session.scalars(query.limit(_LISTED))]

    def get(self, actor: Actor, import_id: str) -> ClientImport:
        """Raises NotFound for another agent's."""
        with self._database.read() as session:
            return import_of(own_import(session, actor, import_id))

    def table(self, actor: Actor, import_id: str, layout: Layout | None = None) -> tuple[ClientImport, Table]:
        """The file as a table, read as was kept or as is tried now. Raises NotFound, and NotATable where it does not
        fit."""
        with self._database.read() as session:
            row = own_import(session, actor, import_id)
            found, content = import_of(row), row.content
        if content is None:
            raise NotFound("The file of this import was deleted a day after it was brought in.")
        return found, read_table(content, layout or found.layout)

    def guess(self, table: Table, *, day_first: bool) -> Reading:
        """Which column holds what, as far as it can be seen. `day_first` = how days are usually written here."""
        targets = guess_columns(table)
        at = next((index for index, target in enumerate(targets) if target == "birthday"), None)
        cells = [row[at] for row in table.rows[:2000]] if at is not None else []
        return Reading(targets=targets, day_first=is_day_first(cells, usual=day_first))

    def check(self, actor: Actor, import_id: str, layout: Layout, reading: Reading) -> None:
        """Has the worker try every row; nothing is written. Raises NotFound or InvalidArgument."""
        if not any(target.value in ("first_name", "last_name", "full_name", "company") for target in reading.targets):
            raise InvalidArgument("Say which column holds the name.", field="targets")
        with self._database.transaction() as session:
            row = self._step(session, actor, import_id, ImportState.CHECKING)
            assert row.content is not None
            row.total = len(read_table(row.content, layout).rows)
            row.layout, row.reading, row.examples = pack_layout(layout), pack_reading(reading), []

    def run(self, actor: Actor, import_id: str, policies: Mapping[Likeness, Policy]) -> None:
        """Has the worker bring the rows in. Raises NotFound or InvalidArgument."""
        with self._database.transaction() as session:
            row = self._step(session, actor, import_id, ImportState.RUNNING)
            row.policies = {likeness.value: policy.value for likeness, policy in policies.items()}

    def undo(self, actor: Actor, import_id: str) -> None:
        """Has the worker take back what nobody changed since. Raises NotFound or InvalidArgument."""
        with self._database.transaction() as session:
            row = self._step(session, actor, import_id, ImportState.UNDOING)
            if row.finished_at is not None and self._clock.now() >= row.finished_at + UNDO_FOR:
                raise InvalidArgument("An import can be undone for a day. That day is over.")

    def refused_rows(self, actor: Actor, import_id: str, today: date) -> tuple[list[str], Iterator[list[str]]]:
        """The rows that were refused, as they came, each with its number and why: to be mended and imported again."""
        found, table = self.table(actor, import_id)
        reading = found.reading
        if reading is None:
            raise NotFound("The columns of this file are not matched yet.")

        def rows() -> Iterator[list[str]]:
            for at, cells in enumerate(table.rows):
                read = read_row(cells, reading, table.header, today)
                if isinstance(read, Refused):
                    yield [str(at + table.first_row), read.why, *cells]

        return [*REFUSED_TITLES, *table.header], rows()

    def forget_files(self) -> int:
        """Deletes the files of imports that ended a day ago, or were not brought in within a week."""
        now = self._clock.now()
        query = select(ClientImportRow).where(
            ClientImportRow.content.is_not(None), ClientImportRow.created_at < now - UNDO_FOR
        )
        with self._database.transaction() as session:
            gone = 0
            for row in session.scalars(query.limit(100)):
                finished = row.finished_at if row.state in (ImportState.DONE, ImportState.UNDONE) else None
                if (finished and finished < now - UNDO_FOR) or row.created_at < now - 7 * UNDO_FOR:
                    row.content = None
                    nothing: dict[str, str] = {}
                    pairs = update(ClientImportPairRow).where(ClientImportPairRow.import_id == row.id)
                    session.execute(pairs.values(data=nothing, earlier=nothing))
                    gone += 1
            return gone

    def _step(self, session: Session, actor: Actor, import_id: str, state: ImportState) -> ClientImportRow:
        row = own_import(session, actor, import_id)
        session.refresh(row, with_for_update=True)
        if row.state not in STEPS[state]:
            raise InvalidArgument("This import has gone on meanwhile. Load the page again to see how it is.")
        if state is not ImportState.UNDOING and row.content is None:
            raise InvalidArgument("The file of this import was deleted. Upload it again.")
        row.state, row.done, row.counts, row.problem = state.value, 0, asdict(Counts()), ""
        row.lease, row.lease_until = "", self._clock.now()
        return row


def import_of(row: ClientImportRow) -> ClientImport:
    """A row as pages see it."""
    return ClientImport(
        id=row.id,
        agent_id=row.agent_id,
        file_name=row.file_name,
        state=ImportState(row.state),
        layout=unpack_layout(row.layout),
        reading=unpack_reading(row.reading),
        policies={Likeness(likeness): Policy(policy) for likeness, policy in row.policies.items()},
        total=row.total,
        done=row.done,
        counts=Counts(**row.counts),
        examples=tuple(unpack_example(each) for each in row.examples),
        problem=row.problem,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )


def own_import(session: Session, actor: Actor, import_id: str) -> ClientImportRow:
    """An agent's own import. Raises NotFound for another agent's."""
    row = session.get(ClientImportRow, import_id)
    if row is None or row.agent_id != actor.agent_id:
        raise NotFound("There is no such import among yours.")
    return row


def _refuse_cards(content: bytes, layout: Layout, table: Table) -> None:
    for at, row in enumerate(table.rows):
        where = f"Row {at + table.first_row}"
        for name, cell in zip(table.header, row, strict=False):
            if _holds_card(cell):
                raise _card_in(f"{where}, column “{name}”,")
        if in_cells(row):
            raise _card_in(where)
    if any(map(_holds_card, beside_the_rows(content, layout, table))):
        raise _card_in("This file")


def _holds_card(text: str) -> bool:
    return sum(char.isdigit() for char in text) >= _CARD_DIGITS and holds_card(text)


def _card_in(where: str) -> InvalidArgument:
    return InvalidArgument(
        f"{where} holds what looks like a card number, so nothing of this file was kept. Take it out and upload the "
        "file again. A card is asked for with a payment authorization link only.",
        field="file",
    )
