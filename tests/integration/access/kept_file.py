"""Puts a test's SQLite database back to where it was, so that one furnished house serves a whole matrix."""

import shutil
from pathlib import Path

from chassis.db import Database


class KeptFile:
    """A copy of the database as it is when this is made."""

    def __init__(self, file: Path, database: Database) -> None:
        self._file, self._database = file, database
        self._kept = file.with_suffix(".kept")
        # Closing the last connection moves what the write-ahead log holds into the file.
        database.dispose()
        shutil.copyfile(file, self._kept)

    def restore(self) -> None:
        self._database.dispose()
        for journal in self._file.parent.glob(f"{self._file.name}-*"):
            journal.unlink()
        shutil.copyfile(self._kept, self._file)
