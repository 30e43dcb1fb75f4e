"""Migrations: `python -m chassis.db.migrate {upgrade,check,revision} <module>`, where the module has MIGRATIONS.

One shared Alembic environment; each service keeps its revisions in a package of its own and hands it in. An upgrade
is one transaction under a lock that other upgrades wait for, with a lock timeout and a statement timeout, so that a
migration that can't get at a busy table gives up instead of standing in everybody's way.

Exit status: 0 done (check: nothing differs); 1 not done, the message says why; 2 wrong arguments.
"""

import argparse
import hashlib
import importlib
import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, make_url, text
from sqlalchemy.exc import OperationalError

from chassis.db.engine import Database, open_database

INITIAL = "0001_initial"
_ENVIRONMENT = Path(__file__).parent / "alembic"
_WAIT_FOR_OTHERS_MS = 120_000
LOCK_TIMEOUT_MS = 5_000
STATEMENT_TIMEOUT_MS = 60_000
_WANTS_A_REVISION = "\nWhat was changed in the models needs a revision (CONTRIBUTING.md, a change of tables)."
# The newest revisions of each folder, and all of them.
_KNOWN: dict[Path, tuple[frozenset[str], frozenset[str]]] = {}


class MigrationError(Exception):
    """A migration that did not happen; nothing was changed."""


class SchemaDrift(MigrationError):
    """The database is not what the code expects; `differences` says where, one line each."""

    def __init__(self, differences: list[str]) -> None:
        self.differences = differences
        super().__init__("the database differs from the models:\n" + "\n".join(differences) + _WANTS_A_REVISION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrations:
    """A service's tables as the code has them, and the folder of its revisions."""

    service: str
    metadata: MetaData
    versions: Path

    def _config(self, connection: Connection | None = None) -> Config:
        config = Config(stdout=io.StringIO(), cmd_opts=argparse.Namespace(quiet=True))
        config.set_main_option("script_location", str(_ENVIRONMENT))
        config.set_main_option("version_locations", str(self.versions))
        config.set_main_option("path_separator", "newline")
        config.attributes.update(connection=connection, metadata=self.metadata)
        return config

    def upgrade(self, database_url: str, *, to: str = "head") -> None:
        """Brings the database to the newest revision, or to the one that is named. Safe to run again and from several
        processes at once.

        Raises MigrationError when a table stayed locked, with nothing changed.
        """
        database = open_database(database_url, name=f"{self.service}-migrate")
        try:
            with _alone(database, self.service), database.engine.begin() as connection:
                _set_timeouts(connection, lock_ms=LOCK_TIMEOUT_MS, statement_ms=STATEMENT_TIMEOUT_MS)
                command.upgrade(self._config(connection), to)
        except OperationalError as error:
            raise MigrationError(f"{self.service}: {_first_line(error)}; nothing was changed, try again") from error
        finally:
            database.dispose()

    def check(self, database_url: str) -> None:
        """Raises SchemaDrift when the database is behind the revisions or differs from the models."""
        database = open_database(database_url, name=f"{self.service}-check")
        try:
            with database.engine.connect() as connection:
                self._check(connection)
        finally:
            database.dispose()

    def demand_newest(self, database: Database) -> None:
        """Raises SchemaDrift when the database is behind this code's revisions; quick, for readiness.

        A revision that this code does not know was made by a newer version: revisions expand first, and this process
        goes on beside the new ones until it is replaced (docs/product.md O12).
        """
        with database.engine.connect() as connection:
            current = self.present(connection)
        newest, older = self._known()
        if current is None or current in older - newest:
            raise SchemaDrift([f"it stands at revision {current or 'none'}"])

    def present(self, connection: Connection) -> str | None:
        """The revision at which a database stands; None for one that was never migrated."""
        return MigrationContext.configure(connection).get_current_revision()

    def waiting(self, database_url: str) -> list[tuple[str, str]]:
        """The revisions that `upgrade` would run, each with its purpose; the database is not made, nor changed.

        None for one that a newer version made. Raises MigrationError when it can't be asked.
        """
        url = make_url(database_url)
        if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
            return self.revisions()
        database = open_database(database_url, name=f"{self.service}-check")
        try:
            with database.engine.connect() as connection:
                present = self.present(connection)
        except OperationalError as error:
            raise MigrationError(f"{self.service}: {_first_line(error)}") from error
        finally:
            database.dispose()
        return after(present, self.revisions())

    def revisions(self) -> list[tuple[str, str]]:
        """All revisions of this code, oldest first, each with its purpose in a sentence."""
        scripts = ScriptDirectory.from_config(self._config()).walk_revisions()
        return [(script.revision, script.doc) for script in scripts][::-1]

    def _known(self) -> tuple[frozenset[str], frozenset[str]]:
        """The newest revisions, and all; they are part of the code and read once."""
        known = _KNOWN.get(self.versions)
        if known is None:
            scripts = ScriptDirectory.from_config(self._config())
            every = frozenset(script.revision for script in scripts.walk_revisions())
            known = _KNOWN[self.versions] = frozenset(scripts.get_heads()), every
        return known

    def _check(self, connection: Connection) -> None:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        head = ScriptDirectory.from_config(self._config()).get_current_head()
        current = context.get_current_revision()
        if current != head:
            raise SchemaDrift([f"it stands at revision {current or 'none'}; the newest is {head or 'none'}"])
        differences = [repr(difference) for difference in compare_metadata(context, self.metadata)]
        if differences:
            raise SchemaDrift(differences)

    def new_revision(self, message: str, *, replace_initial: bool = False) -> Path:
        """Writes the revision that leads from the existing ones to the models, worked out on an empty SQLite file.

        With `replace_initial` the existing ones are replaced by a single 0001_initial.
        """
        self.versions.mkdir(parents=True, exist_ok=True)
        if replace_initial:
            for old in self.versions.glob("*.py"):
                old.unlink()
        number = len(list(self.versions.glob("[0-9]*.py"))) + 1
        slug = "_".join(message.lower().split())[:40] or "change"
        identifier = INITIAL if number == 1 else f"{number:04d}_{slug}"
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:///{folder}/empty.db"
            self.upgrade(url)
            database = open_database(url, name=f"{self.service}-revision")
            with database.engine.begin() as connection:
                made = command.revision(self._config(connection), message=message, rev_id=identifier, autogenerate=True)
            database.dispose()
        path = Path(str(made.path))  # type: ignore[union-attr]
        final = path.with_name(f"{identifier}.py")
        path.rename(final)
        _tidy(final)
        return final


def after(present: str | None, revisions: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those that a database at a revision lacks, in their order; none where this code does not know the revision."""
    names = [name for name, _ in revisions]
    if present is None:
        return revisions
    return revisions[names.index(present) + 1 :] if present in names else []


@contextmanager
def _alone(database: Database, service: str) -> Iterator[None]:
    """Holds the lock that upgrades of this service wait for; on SQLite the write transaction itself is that lock."""
    if database.dialect != "postgresql":
        yield
        return
    key = int.from_bytes(hashlib.sha256(f"wayvault-migrate-{service}".encode()).digest()[:8], signed=True)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        _set_timeouts(connection, lock_ms=_WAIT_FOR_OTHERS_MS, statement_ms=_WAIT_FOR_OTHERS_MS)
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": key})
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})


def _set_timeouts(connection: Connection, *, lock_ms: int, statement_ms: int) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET lock_timeout = {lock_ms}")
        connection.exec_driver_sql(f"SET statement_timeout = {statement_ms}")


def _first_line(error: OperationalError) -> str:
    return str(error.orig).strip().splitlines()[0] if error.orig else "the database did not answer"


def _tidy(path: Path) -> None:
    """Takes Alembic's remarks out of a new revision and, when the tools are installed, formats it as the house does."""
    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.strip().startswith("# ###")), "utf-8")
    environment = {**os.environ, "RUFF_NO_CACHE": "true"}
    for arguments in (["check", "--fix", "--quiet", "--select", "I"], ["format", "--quiet"]):
        subprocess.run([sys.executable, "-m", "ruff", *arguments, str(path)], check=False, env=environment)


def _database_url(service: str, given: str | None) -> str:
    if given:
        return given
    variable = f"{service.upper()}_DATABASE_URL"
    if file := os.environ.get(f"{variable}_FILE"):
        return Path(file).read_text("utf-8").strip()
    return os.environ.get(variable) or f"sqlite:///var/{service}/{service}.db"


def main(arguments: list[str] | None = None) -> int:
    """The command line. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m chassis.db.migrate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["upgrade", "check", "revision"])
    parser.add_argument("module", help="the dotted name of a service's migrations")
    parser.add_argument("--url", help="the database (default: the service's own setting)")
    parser.add_argument("--message", default="change", help="what the new revision does")
    parser.add_argument("--replace-initial", action="store_true", help="replace all revisions by one 0001_initial")
    given = parser.parse_args(arguments)
    migrations: Migrations = importlib.import_module(given.module).MIGRATIONS
    try:
        match given.action:
            case "upgrade":
                migrations.upgrade(_database_url(migrations.service, given.url))
            case "check":
                migrations.check(_database_url(migrations.service, given.url))
            case _:
                print(migrations.new_revision(given.message, replace_initial=given.replace_initial))
    except MigrationError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    # A module with MIGRATIONS imports this one by its name; by the same name the command knows its errors.
    sys.exit(importlib.import_module("chassis.db.migrate").main())
