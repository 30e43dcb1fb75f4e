"""SQLite files: SQLite's own online backup, which reads a consistent state while others write."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from deploy.backup.rules import BackupFault
from deploy.files import write_file

_PAGES = 4096


def dump(source: Path, target: Path) -> Mapping[str, int]:
    """Copies a database and returns its numbers of rows. Raises BackupFault."""
    if not source.is_file():
        raise BackupFault(f"There is no database {source}.")
    write_file(target, b"")
    try:
        with (
            closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True, timeout=30)) as live,
            closing(sqlite3.connect(target)) as copy,
        ):
            live.backup(copy, pages=_PAGES)
            # A copy in WAL mode would need two more files beside it.
            copy.execute("PRAGMA journal_mode=DELETE")
            fault = copy.execute("PRAGMA quick_check").fetchone()[0]
    except sqlite3.Error as error:
        raise BackupFault(f"{source} can't be copied: {error}") from error
    if fault != "ok":
        raise BackupFault(f"{source} is damaged: {fault}")
    return count(target)


def count(path: Path) -> Mapping[str, int]:
    """How many rows each table has. Raises BackupFault."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
            # Names of tables come from the database itself.
            return {
                name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608
                for (name,) in tables
                if not name.startswith("sqlite_")
            }
    except sqlite3.Error as error:
        raise BackupFault(f"{path} can't be read: {error}") from error
