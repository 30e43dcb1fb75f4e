"""Puts a test's SQLite database back to where it was, so that one furnished house serves a whole matrix."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from chassis.db import Database


class KeptFile:
    """A copy of the database as it is when this is made.

    It goes back by a transaction, not by exchanging the file: a thread of the house may just be reading it.
    """

    def __init__(self, file: Path, database: Database) -> None:
        self._file = file
        self._kept = file.with_suffix(".kept")
        # Closing the last connection moves what the write-ahead log holds into the file.
        database.dispose()
        shutil.copyfile(file, self._kept)

    def rows(self) -> Iterator[tuple[object, ...]]:
        """Every row of every table as it is now."""
        with closing(sqlite3.connect(self._file, timeout=10)) as now:
            for (table,) in now.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                yield from now.execute(f'SELECT * FROM "{table}"')

    def restore(self) -> None:
        with closing(sqlite3.connect(self._kept)) as kept, closing(sqlite3.connect(self._file, timeout=10)) as now:
            kept.backup(now)
