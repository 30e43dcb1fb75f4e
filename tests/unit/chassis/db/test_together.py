"""Writes that are sent together: in order, all or none, counted, with the same errors on both engines; and what is
read meanwhile.

The PostgreSQL half (psycopg's pipeline) runs when the real engines do.
"""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Integer, LargeBinary, String, Table, bindparam, insert, select, update
from sqlalchemy.exc import DataError, IntegrityError

from chassis.db import Database, Overtaken, UtcDateTime, Write, make_metadata, open_database, write_together

pytestmark = pytest.mark.enable_socket
_METADATA = make_metadata()
_NOTES = Table(
    "notes",
    _METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("words", String(20), nullable=False),
    Column("raw", LargeBinary),
    Column("at", UtcDateTime()),
)
_INSERT = insert(_NOTES)
_RENAME = update(_NOTES).where(_NOTES.c.words == bindparam("old")).values(words=bindparam("new"))


class _Word(StrEnum):
    FIRST = "first"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path}/notes.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    opened = open_database(url, name="notes")
    _METADATA.drop_all(opened.engine)
    _METADATA.create_all(opened.engine)
    yield opened
    _METADATA.drop_all(opened.engine)
    opened.dispose()


def note(number: int, words: str = "plain", **more: Any) -> dict[str, Any]:
    return {"id": number, "words": words, "raw": None, "at": None, **more}


def written(database: Database) -> list[tuple[int, str]]:
    with database.read() as session:
        return [(row.id, row.words) for row in session.execute(select(_NOTES).order_by(_NOTES.c.id))]


def test_writes_happen_in_order_and_commit_with_the_transaction(database: Database) -> None:
    with database.transaction() as session:
        write_together(
            session,
            [
                Write(statement=_INSERT, rows=[note(1, "a"), note(2, "a"), note(3, "b")]),
                Write(statement=_RENAME, rows=[{"old": "a", "new": "c"}, {"old": "b", "new": "d"}], touches=3),
                Write(statement=_INSERT, rows=[note(4, "a")], touches=1),
            ],
        )

    assert written(database) == [(1, "c"), (2, "c"), (3, "d"), (4, "a")]


def test_whoever_reads_stays_on_one_snapshot(database: Database) -> None:
    with database.read() as session:
        before = session.execute(select(_NOTES)).all()
        with database.transaction() as other:
            other.execute(_INSERT, note(1))
        assert session.execute(select(_NOTES)).all() == before
    assert written(database) == [(1, "plain")]


def test_values_are_stored_as_a_plain_statement_would_store_them(database: Database) -> None:
    east = datetime(2026, 11, 22, 9, 0, tzinfo=timezone(timedelta(hours=9)))
    row = note(1, _Word.FIRST, raw=b"\x00%s\xff", at=east)
    with database.transaction() as session:
        write_together(session, [Write(statement=_INSERT, rows=[row])])
        session.execute(_INSERT, row | {"id": 2})

    with database.read() as session:
        first, second = session.execute(select(_NOTES).order_by(_NOTES.c.id)).all()
    assert tuple(first)[1:] == tuple(second)[1:] == ("first", b"\x00%s\xff", datetime(2026, 11, 22, tzinfo=UTC))


def test_who_was_overtaken_reads_so_and_nothing_is_kept(database: Database) -> None:
    rename = Write(statement=_RENAME, rows=[{"old": "gone", "new": "c"}], touches=1)
    with pytest.raises(Overtaken), database.transaction() as session:
        write_together(session, [rename, Write(statement=_INSERT, rows=[note(1)])])

    assert written(database) == []


def test_a_conflict_is_sqlalchemys_error_without_values_and_the_connection_goes_on(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    writes = [
        Write(statement=_INSERT, rows=[note(1), note(2), note(1), note(3)]),
        Write(statement=_RENAME, rows=[{"old": "plain", "new": "secret"}]),
        Write(statement=_INSERT, rows=[note(9)]),
    ]
    for _ in range(3):
        with (
            caplog.at_level(logging.DEBUG, "psycopg"),
            pytest.raises(IntegrityError) as conflict,
            database.transaction() as session,
        ):
            write_together(session, writes)
        assert "secret" not in str(conflict.value)
    assert caplog.records == []
    assert written(database) == []

    with database.transaction() as session:
        write_together(session, [Write(statement=_INSERT, rows=[note(1)])])
    assert written(database) == [(1, "plain")]


def test_other_faults_are_sqlalchemys_errors_too(database: Database) -> None:
    if database.dialect != "postgresql":
        pytest.skip("SQLite stores texts of any length")
    with pytest.raises(DataError), database.transaction() as session:
        write_together(session, [Write(statement=_INSERT, rows=[note(1, "x" * 21)])])
    assert written(database) == []
