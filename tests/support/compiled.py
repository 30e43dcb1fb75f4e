"""What an app or an engine compiles from the source alone, kept for all tests of this process.

Every test makes its own app and its own database, and each would compile the same templates, addresses and SQL
anew: nearly half of what such a test costs (the 31 tests of the payment pages: 6.3 s of processor with this, 11.3 s
without). That is worth reaching into Werkzeug and SQLAlchemy; nothing of what a test does gets into what is kept here.
"""

from collections.abc import Callable
from functools import partial

import flask
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import create_engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from werkzeug.routing import Rule

from chassis.db import engine


def keep_compiled() -> None:
    """From now on; once, before any app or database is made."""
    flask.Flask.jinja_options = {"bytecode_cache": _Templates()}
    _keep_addresses()
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


def _keep_addresses() -> None:
    """Werkzeug writes and compiles two functions for each rule, which make its address; they get the rule as their
    first argument and are otherwise made of the rule's text, if it has no defaults."""
    compile_builder = Rule._compile_builder
    kept: dict[tuple[object, ...], Callable[..., tuple[str, str]]] = {}

    def once(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        if rule.defaults:
            return compile_builder(rule, append_unknown)
        key = (rule.rule, tuple(rule._trace), append_unknown)
        if key not in kept:
            kept[key] = compile_builder(rule, append_unknown)
        return kept[key]

    Rule._compile_builder = once  # type: ignore[assignment, method-assign]


class SqliteDialect(SQLiteDialect_pysqlite):
    """All SQLite engines of the tests speak one dialect, so that what was compiled for one serves the others.

    SQLAlchemy keeps compiled SQL by its dialect, and else compares dialects by identity.
    """

    supports_statement_cache = True

    def __eq__(self, other: object) -> bool:
        return type(other) is SqliteDialect

    def __hash__(self) -> int:
        return hash(SqliteDialect)
