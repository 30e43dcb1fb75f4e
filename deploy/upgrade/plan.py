"""What an upgrade would do to a service's database, seen on an empty one, and how long it takes, seen on a copy."""

import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, Inspector, MetaData, Table, event, func, inspect, select
from sqlalchemy.engine.interfaces import ReflectedColumn

from chassis.db import open_database
from chassis.db.migrate import Migrations, after
from deploy.backup import postgres, sqlite
from deploy.backup.places import sqlite_path
from deploy.backup.rules import BackupFault
from deploy.upgrade.rules import Change, Column, Shape, changed, tables_read

# Schema and name of a table.
_Key = tuple[str | None, str]
# Alembic's own, and what its batches make on SQLite for a moment.
_NOT_OURS = ("alembic_version", "_alembic_tmp_", "sqlite_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One revision that would run: `reads` says through how many rows of which tables it goes."""

    revision: str
    purpose: str
    change: Change
    reads: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An upgrade of one service. `newer`: the database was made by a newer version than this code."""

    service: str
    present: str
    newer: bool
    steps: tuple[Step, ...]

    @property
    def narrows(self) -> bool:
        """Whether processes of before must be stopped first."""
        return any(step.change.narrowed for step in self.steps)


def plan_of(migrations: Migrations, url: str, *, admin_url: str = "") -> Plan:
    """Changes nothing of the database at `url`; `admin_url` lets the revisions be tried on the same engine.

    Raises MigrationError, BackupFault, SQLAlchemyError.
    """
    path = sqlite_path(url)
    if path is not None and not path.exists():  # to connect would make it
        raise BackupFault(f"There is no database {path}. `python -m services.{migrations.service} migrate` makes it.")
    with _connected(url) as connection:
        present = migrations.present(connection)
        revisions = migrations.revisions()
        newer = bool(present) and present not in {name for name, _ in revisions}
        waiting = after(present, revisions)
        rows = _Rows(connection)
        with _empty(url, admin_url) as scratch:
            if present and waiting:
                migrations.upgrade(scratch, to=present)
            steps = tuple(_steps(migrations, scratch, waiting, rows.of))
    return Plan(service=migrations.service, present=present or "", newer=newer, steps=steps)


def durations(migrations: Migrations, url: str, plan: Plan, *, admin_url: str = "") -> Iterator[tuple[str, float]]:
    """Each revision's seconds on a copy of the database, which goes afterwards. Raises as `plan_of`, and OSError."""
    if sqlite_path(url) is None and not admin_url:
        raise BackupFault("A copy needs an administrator of PostgreSQL: set WAYVAULT_POSTGRES_ADMIN_URL.")
    with tempfile.TemporaryDirectory(prefix="wayvault-upgrade-") as folder, _empty(url, admin_url) as copy:
        path, source = sqlite_path(copy), sqlite_path(url)
        if path is not None and source is not None:
            path.unlink(missing_ok=True)
            sqlite.dump(source, path)
        else:
            postgres.dump(url, Path(folder) / "dump")
            postgres.restore(Path(folder) / "dump", copy)
        for step in plan.steps:
            began = time.monotonic()
            migrations.upgrade(copy, to=step.revision)
            yield step.revision, time.monotonic() - began


def _steps(
    migrations: Migrations, scratch: str, waiting: list[tuple[str, str]], rows: Callable[[str], int | None]
) -> Iterator[Step]:
    before = _shapes(scratch) if waiting else {}
    for revision, purpose in waiting:
        statements = _statements(lambda revision=revision: migrations.upgrade(scratch, to=revision))  # type: ignore[misc]
        after = _shapes(scratch)
        counted = {name: rows(name) for name in sorted(tables_read(statements, before))}
        yield Step(
            revision=revision,
            purpose=purpose,
            change=changed(before, after),
            reads={name: count for name, count in counted.items() if count is not None},
        )
        before = after


def _statements(act: Callable[[], None]) -> list[str]:
    """What is sent to databases meanwhile."""
    found: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        found.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    return found


def _shapes(url: str) -> dict[str, Shape]:
    """All tables at once: one by one would take PostgreSQL seconds."""
    with _connected(url) as connection:
        found = inspect(connection)
        columns, indexes, demands = found.get_multi_columns(), found.get_multi_indexes(), _demands(found)
        return {
            key[1]: Shape(
                columns={column["name"]: _column(column) for column in columns[key]},
                demands=demands.get(key, {}),
                indexes=frozenset(str(one["name"]) for one in indexes.get(key, []) if not one["unique"]),
            )
            for key in columns
            if not key[1].startswith(_NOT_OURS)
        }


def _column(found: ReflectedColumn) -> Column:
    return Column(
        type=str(found["type"]).upper(),
        required=not found["nullable"],
        default=found.get("default") is not None or found.get("autoincrement") is True,
    )


def _demands(found: Inspector) -> Mapping[_Key, Mapping[str, frozenset[str]]]:
    demands: dict[_Key, dict[str, frozenset[str]]] = defaultdict(dict)
    for key, uniques in found.get_multi_unique_constraints().items():
        for unique in uniques:
            demands[key][f"unique ({', '.join(unique['column_names'])})"] = frozenset(unique["column_names"])
    for key, indexes in found.get_multi_indexes().items():
        for index in indexes:
            if index["unique"]:
                names = frozenset(name for name in index["column_names"] if name)
                demands[key][f"unique index {index['name']}"] = names
    for key, checks in found.get_multi_check_constraints().items():
        demands[key] |= {f"check {check['name']}": frozenset() for check in checks}
    for key, references in found.get_multi_foreign_keys().items():
        for reference in references:
            columns = reference["constrained_columns"]
            demands[key][f"({', '.join(columns)}) names a {reference['referred_table']}"] = frozenset(columns)
    return demands


class _Rows:
    """How many rows the live tables have, each counted once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._tables = frozenset(inspect(connection).get_table_names())
        self._known: dict[str, int] = {}

    def of(self, table: str) -> int | None:
        """None for a table that this database does not have yet."""
        if table not in self._tables:
            return None
        if table not in self._known:
            query = select(func.count()).select_from(Table(table, MetaData()))
            self._known[table] = self._connection.execute(query).scalar_one()
        return self._known[table]


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    database = open_database(url, name="upgrade")
    try:
        with database.engine.connect() as connection:
            yield connection
    finally:
        database.dispose()


@contextmanager
def _empty(url: str, admin_url: str) -> Iterator[str]:
    """An empty database of the same engine; of SQLite where nobody may make one on PostgreSQL."""
    if sqlite_path(url) is None and admin_url:
        with postgres.scratch_database(admin_url, purpose="upgrade") as scratch:
            yield scratch
        return
    with tempfile.TemporaryDirectory(prefix="wayvault-upgrade-") as folder:
        yield f"sqlite:///{folder}/empty.db"
