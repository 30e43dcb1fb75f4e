"""A service's tables in a fresh database; on SQLite copied from a file that this process made once."""

import atexit
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from sqlalchemy import MetaData

from chassis.db import Database, open_database


def make_tables(database: Database, metadata: MetaData) -> None:
    """Makes all tables of `metadata` in a database that has none yet."""
    file = database.engine.url.database
    if database.engine.dialect.name != "sqlite" or not file:
        metadata.create_all(database.engine)
        return
    database.dispose()
    shutil.copyfile(_empty(metadata), file)


@cache
def _empty(metadata: MetaData) -> Path:
    def make(url: str) -> None:
        database = open_database(url, name="empty")
        metadata.create_all(database.engine)
        database.dispose()  # the last connection writes the log back into the file

    return sqlite_file(make)


def sqlite_file(make: Callable[[str], object]) -> Path:
    """An SQLite file as `make`, which gets its URL, leaves it: to be copied. It goes away with this process."""
    path = Path(tempfile.mkdtemp(prefix="wayvault-test-")) / "empty.db"
    atexit.register(shutil.rmtree, path.parent, ignore_errors=True)
    make(f"sqlite:///{path}")
    return path
