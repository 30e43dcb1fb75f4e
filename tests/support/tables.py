"""A service's tables in a fresh database, and what a test's world starts with in them.

On SQLite both are copied from a file that this process made once.
"""

import atexit
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import MetaData

from chassis.db import Database, open_database

T = TypeVar("T")


def make_tables(database: Database, metadata: MetaData) -> None:
    """Makes all tables of `metadata` in a database that has none yet."""
    file = database.engine.url.database
    if database.engine.dialect.name != "sqlite" or not file:
        metadata.create_all(database.engine)
        return
    database.dispose()
    shutil.copyfile(_empty(metadata), file)


def furnished(database: Database, metadata: MetaData, furnish: Callable[[], T]) -> T:
    """Makes all tables, then what `furnish` writes into them through this very database; returns what it returns.

    On SQLite each `furnish` (a method counts by its class) runs once in this process; later databases begin as
    copies of the first, and get the same answer, so this has to be a value that nobody can change.
    """
    file = database.engine.url.database
    if database.engine.dialect.name != "sqlite" or not file:
        make_tables(database, metadata)
        return furnish()
    key = (type(getattr(furnish, "__self__", None)), furnish.__qualname__)
    if key not in _FURNISHED:
        make_tables(database, metadata)
        answer = furnish()
        database.dispose()
        _FURNISHED[key] = sqlite_file(lambda _: None), answer
        shutil.copyfile(file, _FURNISHED[key][0])
    else:
        database.dispose()
        shutil.copyfile(_FURNISHED[key][0], file)
    found: T = _FURNISHED[key][1]
    return found


# Any: what each `furnish` returns.
_FURNISHED: dict[tuple[type, str], tuple[Path, Any]] = {}


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
