"""What an app or an engine compiles from the source alone, kept for all tests of this process.

Every test makes its own app and its own database, and each would compile the same addresses, templates and SQL anew:
half of what such tests cost (44 tests of charging and reports: 10.3 s of processor with addresses kept, 18.3 s without,
`pytest tests/unit/crm/paying/test_charging.py tests/unit/crm/office/reports/test_reports.py` at load 25).
Only what the libraries offer for it is used, and nothing of what a test does gets into what is kept here.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import flask
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import create_engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from werkzeug.routing import Map, Rule, RuleFactory

from chassis.db import engine

# The applications whose addresses are the same whatever their settings say.
SAME_ADDRESSES: Final = ("services.crm.app", "services.portal.app")
_maps: dict[str, "_KeptMap"] = {}


def keep_compiled() -> None:
    """From now on; once, before any app or database is made."""
    flask.Flask.jinja_options = {"bytecode_cache": _Templates()}
    flask.Flask.url_map_class = _MapOfApp()  # type: ignore[assignment]  # what it is asked for is a class that makes one
    registry.register("sqlite", __name__, SqliteDialect.__name__)
    engine.create_engine = partial(create_engine, execution_options={"compiled_cache": {}})  # type: ignore[attr-defined]


class _MapOfApp:
    """In the place of the class of Flask's maps: gives an app the map of the one before it, for they are alike."""

    def __get__(self, app: flask.Flask | None, owner: type[flask.Flask]) -> Callable[..., Map]:
        name = app.import_name if app is not None else ""
        return partial(_map_of, name) if name in SAME_ADDRESSES else Map


def _map_of(name: str, **options: Any) -> "_KeptMap":  # Any: Werkzeug's
    if name not in _maps:
        _maps[name] = _KeptMap(**options)
    return _maps[name]


class _KeptMap(Map):
    """Addresses, each compiled when the first app brings it."""

    def __init__(self, **options: Any) -> None:  # Any: Werkzeug's
        self._known: set[object] = set()
        super().__init__(**options)

    def add(self, rulefactory: RuleFactory) -> None:
        if not isinstance(rulefactory, Rule):
            super().add(rulefactory)
            return
        rule = rulefactory
        known = (rule.rule, rule.endpoint, frozenset(rule.methods or ()), repr(rule.defaults), rule.strict_slashes)
        if known not in self._known:
            super().add(rule)
            self._known.add(known)


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
