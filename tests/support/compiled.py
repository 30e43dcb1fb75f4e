"""What an app or an engine compiles from the source alone, kept for all tests of this process.

Every test makes its own app and its own database, and each would compile the same templates and SQL anew: 7 to 18 % of
what such tests cost (17 tests of links: 4.1 s of processor with this, 4.3 s without; 43 of the authorization: 6.7 s and
8.2 s, measured while Werkzeug's addresses were kept too, by reaching into it). Only what the libraries offer for it is
used, and nothing of what a test does gets into what is kept here.
"""

from functools import partial

import flask
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import create_engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from chassis.db import engine


def keep_compiled() -> None:
    """From now on; once, before any app or database is made."""
    flask.Flask.jinja_options = {"bytecode_cache": _Templates()}
    registry.register("sqlite", __name__, SqliteDialect.__name__)
    engine.create_engine = partial(create_engine, execution_options={"compiled_cache": {}})  # type: ignore[attr-defined]


class _Templates(BytecodeCache):
    """Jinja's byte code."""

    def __init__(self) -> None:
        self._compiled: dict[tuple[str, str], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if code := self._compiled.get((bucket.key, bucket.checksum)):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


class SqliteDialect(SQLiteDialect_pysqlite):
    """All SQLite engines of the tests speak one dialect, so that what was compiled for one serves the others.

    SQLAlchemy keeps compiled SQL by its dialect, and else compares dialects by identity.
    """

    supports_statement_cache = True

    def __eq__(self, other: object) -> bool:
        return type(other) is SqliteDialect

    def __hash__(self) -> int:
        return hash(SqliteDialect)
