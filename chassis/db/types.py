"""Column types and naming rules that every service's tables share."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, DateTime, Dialect, MetaData, String, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import ReturningInsert
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

# Named constraints, so that a later migration can drop one on both engines.
_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def make_metadata() -> MetaData:
    """Metadata with the house's naming rules for constraints and indexes."""
    return MetaData(naming_convention=_NAMES)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: timezone-aware in, UTC out, on both engines (SQLite itself drops the zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone can't be stored")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def insert_if_absent(session: Session | Connection, table: Table, values: Mapping[str, object]) -> bool:
    """Inserts the row unless a unique rule of the table forbids it; returns whether it was inserted.

    On PostgreSQL a row that another open transaction is inserting is waited for.
    """
    connection = session.connection() if isinstance(session, Session) else session
    return connection.execute(_insertion(table, connection.dialect.name), values).first() is not None


@cache
def _insertion(table: Table, dialect: str) -> ReturningInsert[Any]:
    make = postgresql.insert if dialect == "postgresql" else sqlite.insert
    # RETURNING, because what `rowcount` says after a conflict differs between drivers.
    return make(table).on_conflict_do_nothing().returning(next(iter(table.primary_key)))


class NotLeading(FunctionElement[str]):
    """A text column in a condition that SQLite must not look up by an index, since another condition finds fewer rows.

    SQLite plans without statistics of its own making and takes the first index that fits; a unary plus keeps a column
    from being one (sqlite.org/optoverview.html, "Disqualifying WHERE clause terms"). PostgreSQL knows better by itself,
    and gets the column as it is.
    """

    type = String()
    inherit_cache = True


@compiles(NotLeading)
def _as_it_is(element: NotLeading, compiler: SQLCompiler, **options: object) -> str:
    return compiler.process(element.clauses, **options)


@compiles(NotLeading, "sqlite")
def _with_a_plus(element: NotLeading, compiler: SQLCompiler, **options: object) -> str:
    return f"+{compiler.process(element.clauses, **options)}"


class AsText(FunctionElement[str]):
    """A text to order by: without regard to the case of A to Z, and by code point. PostgreSQL would order by whatever
    collation its server was set up with; SQLite orders like this anyway."""

    type = String()
    inherit_cache = True


@compiles(AsText)
def _lower(element: AsText, compiler: SQLCompiler, **options: object) -> str:
    return f"lower({compiler.process(element.clauses, **options)})"


@compiles(AsText, "postgresql")
def _lower_by_code_point(element: AsText, compiler: SQLCompiler, **options: object) -> str:
    return f'lower(({compiler.process(element.clauses, **options)}) COLLATE "C")'
