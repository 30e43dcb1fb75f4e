"""What the worker does with imports: tries, brings in and undoes, chunk by chunk, each chunk in one transaction.

A chunk's transaction also says how far the import is, so that a worker that was killed is followed by another that goes
on after the last whole chunk. Ids of clients follow from the import and the row: no row makes two clients.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any, Final, Protocol

import structlog
from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.orm import Session, selectinload

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.ids import new_id
from chassis.typed.names import text_of
from services.crm.access.agency.service import Directory
from services.crm.sales.clients.events import Surroundings, client_removed, client_saved
from services.crm.sales.clients.models import ClientChangeRow, ClientRow, ClientWordRow
from services.crm.sales.clients.rules import (
    FOUND_BY,
    ChangedBy,
    ClientData,
    ClientDetail,
    Household,
    changed_fields,
    columns_of,
    month_day,
    order_keys,
    search_words,
    values_of,
)
from services.crm.sales.clients.service import Clients, apply, data_of, note_changes, note_changes_of_many
from services.crm.sales.groups.service import (
    MEMBERSHIP,
    belongs_otherwise,
    bring,
    joined_by,
    remove_empty,
    take_out,
)
from services.crm.sales.importing.comparing import decided_rows, forget_pairs, note_outcomes, note_pairs
from services.crm.sales.importing.matching import Known, Likeness, Policy, filled_in
from services.crm.sales.importing.models import ClientImportItemRow, ClientImportRow
from services.crm.sales.importing.pairs import KEPT_WHOLE, updated
from services.crm.sales.importing.rows import read_row
from services.crm.sales.importing.rules import (
    AFTER,
    BY_WORKER,
    Counts,
    Example,
    ImportState,
    pack_client,
    pack_example,
    unpack_client,
)
from services.crm.sales.importing.service import import_of
from services.crm.sales.importing.sorting import Chunk, Course, Update
from services.crm.sales.importing.tables import NotATable, read_table

log = structlog.get_logger(__name__)
_CHUNK: Final = 500
_LEASE: Final = timedelta(minutes=2)

# What is a profile's own and goes with it.
_OWN: Final = (ClientWordRow, ClientChangeRow, MEMBERSHIP)


class IsReferred(Protocol):
    """Whether anything else names a client, so that it must not go."""

    def __call__(self, session: Session, client_id: str, /, *, but: Collection[type]) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """An import under way in this worker."""

    id: str
    lease: str
    agency_id: str
    agent_id: str
    state: ImportState
    policies: dict[Likeness, Policy]


class ImportRunner:
    """Takes up what agents asked for, one import at a time."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        clock: Clock,
        clients: Clients,
        directory: Directory,
        is_referred: IsReferred,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._clients = clients
        self._directory = directory
        self._is_referred = is_referred

    def work(self) -> int:
        """Does the next step that waits, to its end. Returns how many there were: none or one."""
        job = self._take()
        if job is None:
            return 0
        try:
            if job.state is ImportState.UNDOING:
                self._undo(job)
            else:
                self._go_through(job)
        except NotATable as error:
            self._fail(job, str(error))
        return 1

    def _take(self) -> _Job | None:
        now = self._clock.now()
        waiting = (
            select(ClientImportRow.id)
            .where(
                ClientImportRow.state.in_([state.value for state in BY_WORKER]),
                or_(ClientImportRow.lease == "", ClientImportRow.lease_until < now),
            )
            .order_by(ClientImportRow.created_at)
            .limit(1)
        )
        with self._database.read() as session:  # nearly always there is none: nobody need wait for a turn to write
            if session.scalar(waiting) is None:
                return None
        with self._database.transaction() as session:
            import_id = session.scalar(waiting)
            row = session.get(ClientImportRow, import_id, with_for_update=True) if import_id else None
            if row is None or not (row.lease == "" or row.lease_until < now):
                return None
            row.lease, row.lease_until = new_id("lease"), now + _LEASE
            return _Job(
                id=row.id,
                lease=row.lease,
                agency_id=row.agency_id,
                agent_id=row.agent_id,
                state=ImportState(row.state),
                policies=dict(import_of(row).policies),
            )

    def _go_through(self, job: _Job) -> None:
        """Every row, from where the import stands."""
        with self._database.read() as session:
            row = session.get_one(ClientImportRow, job.id)
            content, found, start = row.content, import_of(row), row.done
            counts = found.counts
        if content is None or found.reading is None:
            self._fail(job, "The file of this import is gone. Upload it again.")
            return
        table, today = read_table(content, found.layout), self._clock.now().date()
        if job.state is ImportState.CHECKING:
            # Rows that were looked at before a restart are not in memory any more, and nothing came of them yet.
            start, counts = 0, Counts()
            with self._database.transaction() as session:
                forget_pairs(session, job.id)
        course = self._course(job, counts)
        for first in range(start, len(table.rows), _CHUNK):
            rows = table.rows[first : first + _CHUNK]
            read = [read_row(cells, found.reading, table.header, today) for cells in rows]
            chunk = Chunk(course, first)
            chunk.sort(read, table)
            with self._database.transaction() as session:
                if not self._still_mine(session, job, first + len(rows), counts):
                    return
                if job.state is ImportState.RUNNING:
                    self._write(session, job, chunk)
                else:
                    self._note_alike(session, course, chunk)
        self._finish(job, [*course.shown.known, *course.shown.refused])

    def _course(self, job: _Job, counts: Counts) -> Course:
        with self._database.read() as session:
            decided = decided_rows(session, job.id) if job.state is ImportState.RUNNING else {}
        return Course(import_id=job.id, policies=job.policies, decided=decided, known=self._known(job), counts=counts)

    def _note_alike(self, session: Session, course: Course, chunk: Chunk) -> None:
        ids = {each.match.client_id for each in chunk.alike}
        stored = session.scalars(select(ClientRow).where(ClientRow.id.in_(ids - course.brought.keys()))) if ids else ()
        known = {row.id: data_of(row) for row in stored}
        known |= {client_id: course.brought[client_id] for client_id in ids & course.brought.keys()}
        note_pairs(session, course.import_id, chunk.alike, known, course.brought)

    def _known(self, job: _Job) -> Known:
        """The agent's clients; those that this import made before a restart are among them."""
        known = Known()
        columns = (ClientRow.id, ClientRow.first_name, ClientRow.last_name, ClientRow.email, ClientRow.phone)
        query = (
            select(*columns, ClientRow.second_phone)
            .where(ClientRow.agent_id == job.agent_id, ClientRow.merged_into_id.is_(None))
            .order_by(ClientRow.created_at, ClientRow.id)
        )
        with self._database.read() as session:
            for client_id, first, last, email, phone, second in session.execute(query):
                data = ClientData(first_name=first, last_name=last, email=email, phone=phone, second_phone=second)
                known.add(client_id, data)
        return known

    def _still_mine(self, session: Session, job: _Job, done: int, counts: Counts) -> bool:
        """Says how far it is, unless another worker has it by now."""
        values: dict[str, Any] = {"done": done, "counts": asdict(counts), "lease_until": self._clock.now() + _LEASE}
        mine = (ClientImportRow.id == job.id, ClientImportRow.lease == job.lease)
        statement = update(ClientImportRow).where(*mine).values(values).returning(ClientImportRow.id)
        return session.execute(statement).first() is not None

    def _write(self, session: Session, job: _Job, chunk: Chunk) -> None:
        now = self._clock.now()
        agency, agent = (
            self._directory.load_agency(session, job.agency_id),
            self._directory.load_agent(session, job.agent_id),
        )
        rows, words, items, messages = [], [], [], []
        for client_id, data in chunk.new:
            found = search_words(data)
            owner = {"agency_id": job.agency_id, "agent_id": job.agent_id}
            rows.append(owner | _columns(client_id, data, found) | {"created_at": now, "updated_at": now})
            words += [owner | {"client_id": client_id, "word": word} for word in found]
            items.append({"import_id": job.id, "client_id": client_id, "version": 1, "before": None})
            detail = ClientDetail(id=client_id, data=data, created_at=now, updated_at=now, version=1, **owner)
            around = Surroundings(household=Household(), field_changed_at={}, agent=agent, agency=agency)
            messages.append((client_id, client_saved(detail, around)))
        for kind, values in ((ClientRow, rows), (ClientWordRow, words), (ClientImportItemRow, items)):
            if values:
                session.execute(insert(kind), values)
        for client_id, message in messages:
            self._outbox.add(session, message, aggregate_id=client_id, agency_id=job.agency_id)
        if chunk.updates:
            self._update_all(session, job, chunk.updates)
        note_outcomes(session, job.id, chunk.outcomes)
        theirs = select(ClientRow.id).where(ClientRow.agent_id == job.agent_id, ClientRow.merged_into_id.is_(None))
        named = {each.client_id for each in chunk.belongs}
        still = set(session.scalars(theirs.where(ClientRow.id.in_(named)))) if named else set()
        belongs = [each for each in chunk.belongs if each.client_id in still]
        bring(session, belongs, agency_id=job.agency_id, agent_id=job.agent_id, import_id=job.id, at=now)

    def _update_all(self, session: Session, job: _Job, updates: Sequence[Update]) -> None:
        """Brings updates in together; several rows may update one client, one after the other."""
        ids, now = {wanted.client_id for wanted in updates}, self._clock.now()
        mine = (ClientRow.id.in_(ids), ClientRow.agent_id == job.agent_id, ClientRow.merged_into_id.is_(None))
        query = select(ClientRow).where(*mine).order_by(ClientRow.id).with_for_update()
        rows = {row.id: row for row in session.scalars(query)}
        # The words that clients are found by, of those alone whose words may change; else each would ask for its own.
        other = {each.client_id for each in updates if each.client_id in rows and _is_found_otherwise(rows, each)}
        if other:
            words = select(ClientRow).where(ClientRow.id.in_(other)).options(selectinload(ClientRow.words))
            session.scalars(words).all()
        before: dict[str, ClientData] = {}
        changed = []
        for wanted in updates:
            if (row := rows.get(wanted.client_id)) is None:
                continue
            old = data_of(row)
            sides = wanted.sides
            new = filled_in(old, wanted.data) if sides is None else updated(old, wanted.data, sides)
            if new != old:
                before.setdefault(row.id, old)
                changed.append((row.id, old, changed_fields(old, new)))
                apply(row, new, at=now)
        note_changes_of_many(session, changed, by=ChangedBy.AGENT, at=now)
        self._clients.saved_many(session, [rows[client_id] for client_id in before])
        self._keep_before(session, job, before, rows)

    def _keep_before(
        self, session: Session, job: _Job, before: Mapping[str, ClientData], rows: Mapping[str, ClientRow]
    ) -> None:
        """What an undo needs."""
        mine = (ClientImportItemRow.import_id == job.id, ClientImportItemRow.client_id.in_(before))
        items = {item.client_id: item for item in session.scalars(select(ClientImportItemRow).where(*mine))}
        for client_id, old in before.items():
            item = items.get(client_id)
            if item is None:
                item = ClientImportItemRow(import_id=job.id, client_id=client_id, before=pack_client(old))
                session.add(item)
            item.version, item.after = rows[client_id].version, pack_client(data_of(rows[client_id]))
        session.flush()

    def _undo(self, job: _Job) -> None:
        counts = Counts()
        changed = select(ClientImportItemRow.client_id).where(ClientImportItemRow.import_id == job.id)
        with self._database.read() as session:
            ids = sorted({*session.scalars(changed), *joined_by(session, job.id)})
        with self._database.transaction() as session:
            session.get_one(ClientImportRow, job.id).total = len(ids)
        for first in range(0, len(ids), _CHUNK):
            chunk = ids[first : first + _CHUNK]
            with self._database.transaction() as session:
                for client_id in chunk:
                    self._undo_one(session, job, client_id, counts)
                if not self._still_mine(session, job, first + len(chunk), counts):
                    session.rollback()
                    return
        with self._database.transaction() as session:
            remove_empty(session, job.id)
        self._finish(job, [])

    def _undo_one(self, session: Session, job: _Job, client_id: str, counts: Counts) -> None:
        item = session.get(ClientImportItemRow, (job.id, client_id))
        if item is None or item.before is not None:
            take_out(session, job.id, client_id)
        if item is None:
            counts.restored += 1
            return
        row = session.get(ClientRow, client_id, with_for_update=True)
        if row is None:
            counts.removed += item.before is None
            return
        if item.before is not None and item.after is not None and row.merged_into_id is None:
            self._restore(session, row, item, counts)
        elif row.version != item.version or row.merged_into_id is not None:
            item.kept_fields = KEPT_WHOLE
            counts.kept += 1
        elif item.before is not None:
            self._apply(session, row, item, unpack_client(item.before))
            counts.restored += 1
        elif belongs_otherwise(session, job.id, client_id) or self._is_referred(session, client_id, but=_OWN):
            item.kept_fields = KEPT_WHOLE
            counts.kept += 1
        else:
            event = client_removed(row.id)
            self._outbox.add(session, event, aggregate_id=row.id, agency_id=row.agency_id)
            take_out(session, job.id, client_id)
            session.execute(delete(ClientChangeRow).where(ClientChangeRow.client_id == client_id))
            session.delete(row)
            session.flush()
            counts.removed += 1

    def _restore(self, session: Session, row: ClientRow, item: ClientImportItemRow, counts: Counts) -> None:
        """Field by field: what somebody changed since stays, and is named."""
        now, before, after = data_of(row), unpack_client(item.before or {}), unpack_client(item.after or {})
        kept = [each for each in changed_fields(before, after) if values_of(now, each) != values_of(after, each)]
        back = [each for each in changed_fields(before, after) if each not in kept]
        values = {name: getattr(before, name) for each in back for name in columns_of(each)}
        self._apply(session, row, item, replace(now, **values))
        item.kept_fields = ",".join(kept)
        counts.kept += bool(kept)
        counts.restored += not kept

    def _apply(self, session: Session, row: ClientRow, item: ClientImportItemRow, data: ClientData) -> None:
        old, now = data_of(row), self._clock.now()
        if data != old:
            note_changes(session, row.id, changed_fields(old, data), old, by=ChangedBy.AGENT, at=now)
            apply(row, data, at=now)
            self._clients.saved(session, row)
        item.version = row.version

    def _finish(self, job: _Job, examples: Sequence[Example]) -> None:
        with self._database.transaction() as session:
            row = session.get_one(ClientImportRow, job.id, with_for_update=True)
            if row.lease != job.lease:
                return
            row.state, row.lease = AFTER[job.state].value, ""
            row.examples = [pack_example(each) for each in examples]
            row.finished_at = self._clock.now() if job.state is ImportState.RUNNING else row.finished_at
            log.info("import.step_done", import_id=row.id, state=row.state, rows=row.done)

    def _fail(self, job: _Job, why: str) -> None:
        with self._database.transaction() as session:
            row = session.get_one(ClientImportRow, job.id, with_for_update=True)
            if row.lease == job.lease:
                row.state, row.problem, row.lease = ImportState.FAILED.value, why[:300], ""


def _is_found_otherwise(rows: Mapping[str, ClientRow], wanted: Update) -> bool:
    row, data = rows[wanted.client_id], wanted.data
    return any(value and value != getattr(row, name) for name in FOUND_BY if (value := getattr(data, name)))


def _columns(client_id: str, data: ClientData, words: list[str]) -> dict[str, Any]:
    return (
        asdict(data)
        | order_keys(data)
        | {
            "id": client_id,
            "birthday_month_day": month_day(data.birthday) if data.birthday else None,
            "search_text": text_of(words),
            "merged_into_id": None,
            "version": 1,
        }
    )
