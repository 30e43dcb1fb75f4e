"""Reads of one web request share a session; commits that needn't wait for the disk are commits all the same."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Integer, String, event, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from chassis.db import Database, ReadOnlyError, open_database, remembered, sharing_reads


class _Base(DeclarativeBase):
    pass


class Note(_Base):
    __tablename__ = "note"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    text: Mapped[str] = mapped_column(String(40))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = open_database(f"sqlite:///{tmp_path}/notes.db", name="notes")
    _Base.metadata.create_all(made.engine)
    with made.transaction() as session:
        session.add(Note(id=1, text="first"))
    yield made
    made.dispose()


def _text(database: Database) -> str:
    with database.read() as session:
        return session.get_one(Note, 1).text


def _write(session: Session) -> None:
    session.add(Note(id=2, text="no"))
    session.flush()


def _change(database: Database, text: str) -> None:
    with database.transaction() as session:
        session.get_one(Note, 1).text = text


def test_what_one_part_has_read_the_next_does_not_ask_for(database: Database) -> None:
    asked: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *about: asked.append(about[2]))
    with sharing_reads():
        with database.read() as session:
            row = session.get_one(Note, 1)
        assert (_text(database), row.text) == ("first", "first")
    assert len([statement for statement in asked if statement.startswith("SELECT")]) == 1


def test_a_write_of_ones_own_is_seen_by_the_next_read(database: Database) -> None:
    with sharing_reads():
        with database.read() as session:
            assert remembered(session, "text", lambda: _text(database)) == "first"
        _change(database, "second")
        with database.read() as session:
            assert remembered(session, "text", lambda: _text(database)) == "second"


def test_who_reads_while_something_is_written_keeps_what_was_read(database: Database) -> None:
    with sharing_reads(), database.read() as session:
        row = session.get_one(Note, 1)
        _change(database, "second")
        assert row.text == "first"
        assert session.get_one(Note, 1).text == "second"


def test_a_writing_session_remembers_nothing(database: Database) -> None:
    with database.transaction() as session:
        found = iter(("a", "b"))
        assert [remembered(session, "key", lambda: next(found)) for _ in range(2)] == ["a", "b"]


def test_requests_share_nothing_with_each_other(database: Database) -> None:
    for text in ("second", "third"):
        with sharing_reads():
            before = _text(database)
        _change(database, text)
        with sharing_reads():
            assert _text(database) == text != before


def test_a_shared_read_can_not_write_and_goes_on_after_a_fault(database: Database) -> None:
    with sharing_reads():
        with pytest.raises(ReadOnlyError), database.read() as session:
            _write(session)
        with pytest.raises(OperationalError), database.read() as session:
            session.connection().exec_driver_sql("SELECT * FROM nowhere")
        assert _text(database) == "first"


def test_a_commit_that_does_not_wait_for_the_disk_is_seen_at_once_and_the_next_one_waits(
    database: Database, tmp_path: Path
) -> None:
    def level(session: Session) -> int:
        return int(session.connection().exec_driver_sql("PRAGMA synchronous").scalar_one())

    with database.transaction(durable=False) as session:
        session.get_one(Note, 1).text = "hasty"
        hasty = level(session)
    with sqlite3.connect(tmp_path / "notes.db") as other:
        assert other.execute("SELECT text FROM note").fetchone() == ("hasty",)
    with database.transaction() as session:
        assert (hasty, level(session)) == (1, 2)
    with database.read() as session:
        assert session.scalar(select(Note.text)) == "hasty"
