"""Several writes of one transaction, sent together: with PostgreSQL in one round trip, its BEGIN included.

A write that asks for nothing back needn't wait for the one before it. psycopg's pipeline mode sends them all and reads
the outcomes afterwards; SQLAlchemy can't use it (it looks at each outcome at once), but it still builds the statements.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import psycopg
from sqlalchemy import Connection, CursorResult, Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import UpdateBase

Row = Mapping[str, Any]  # Any: column values


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """A statement without RETURNING, executed once for each row of values (at least one, all with the same names).

    Keep the statement for the life of the process: its compiled form is remembered by its identity. The rows name every
    column that is to have a value; a column's Python-side default is not applied.
    """

    statement: UpdateBase
    rows: Sequence[Row]
    touches: int | None = None
    """How many table rows it must touch in all; None when that is not checked."""


class Overtaken(Exception):
    """A write touched another number of rows than it must: somebody was first. Roll the transaction back."""


def write_together(session: Session, writes: Sequence[Write]) -> None:
    """Executes the writes in order, in the session's transaction.

    All of them are sent, whatever the first ones touch: when this raises, nothing of the transaction may be kept.
    Raises Overtaken, and SQLAlchemy's errors as `session.execute` does (their text has no values in it).
    """
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        touched = _pipelined(connection, writes)
    else:
        done = [session.execute(write.statement, list(write.rows)) for write in writes]
        touched = [cast("CursorResult[Any]", result).rowcount for result in done]
    if any(write.touches not in (None, count) for write, count in zip(writes, touched, strict=True)):
        raise Overtaken


def _pipelined(connection: Connection, writes: Sequence[Write]) -> list[int]:
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]  # it is
    ready = [(driver.cursor(), *_for_driver(write, connection.dialect)) for write in writes]
    first: psycopg.Error | None = None
    try:
        with driver.pipeline():
            try:
                for cursor, text, rows in ready:
                    cursor.executemany(text, rows)
            except psycopg.Error as error:
                # Kept from the block: psycopg would log what the writes after it come to.
                first = error
    except psycopg.Error as error:
        first = first or error
    if first is not None:
        raise DBAPIError.instance(None, None, first, psycopg.Error, hide_parameters=True, dialect=connection.dialect)
    return [cursor.rowcount for cursor, _, _ in ready]


def _for_driver(write: Write, dialect: Dialect) -> tuple[str, list[Row]]:
    """The statement's text and its rows as the driver takes them."""
    text, processors = _compiled(write.statement, dialect, tuple(write.rows[0]))
    if not processors:
        return text, list(write.rows)
    return text, [{**row, **{name: process(row[name]) for name, process in processors.items()}} for row in write.rows]


@lru_cache(maxsize=256)
def _compiled(statement: UpdateBase, dialect: Dialect, names: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
    compiled = cast("Any", statement.compile(dialect=dialect, column_keys=list(names), for_executemany=True))
    processors = {
        name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in compiled.binds.items()
    }
    return str(compiled), {name: process for name, process in processors.items() if process is not None}
