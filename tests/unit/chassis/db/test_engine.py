"""One database behind two kinds of session."""

import multiprocessing
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, String, Table, func, insert, select, text
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis.db import (
    Database,
    DatabaseUrlError,
    ReadOnlyError,
    UtcDateTime,
    insert_if_absent,
    make_metadata,
    open_database,
)


class Base(DeclarativeBase):
    metadata = make_metadata()


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    words: Mapped[str] = mapped_column(String(100), unique=True)


moments = Table("moments", Base.metadata, Column("id", Integer, primary_key=True), Column("at", UtcDateTime))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path}/deep/er/notes.db", name="notes")
    Base.metadata.create_all(opened.engine)
    yield opened
    opened.dispose()


def notes(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.execute(select(Note.words).order_by(Note.id)).scalars())


def test_a_transaction_commits_at_the_end_and_rolls_back_on_an_exception(database: Database) -> None:
    with database.transaction() as session:
        session.add(Note(words="kept"))

    def doomed() -> None:
        with database.transaction() as session:
            session.add(Note(words="lost"))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        doomed()
    assert notes(database) == ["kept"]


def test_rows_stay_readable_after_the_commit(database: Database) -> None:
    with database.transaction() as session:
        note = Note(words="kept")
        session.add(note)
    assert note.words == "kept"


def test_a_reading_session_refuses_to_write(database: Database) -> None:
    with database.read() as session:
        session.add(Note(words="sneaky"))
        with pytest.raises(ReadOnlyError):
            session.flush()
    assert notes(database) == []


def test_sqlite_files_are_private_journaled_and_overwrite_what_is_deleted(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "deep/er/notes.db"
    with database.engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "secure_delete", "foreign_keys", "synchronous", "busy_timeout")
        }
    assert pragmas == {
        "journal_mode": "wal",
        "secure_delete": 1,
        "foreign_keys": 1,
        "synchronous": 2,
        "busy_timeout": 10_000,
    }
    for file in path.parent.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file.name


def test_concurrent_read_modify_write_loses_nothing(database: Database) -> None:
    def count_up() -> None:
        for _ in range(10):
            with database.transaction() as session:
                highest = session.execute(select(func.coalesce(func.max(Note.id), 0))).scalar_one()
                session.add(Note(id=highest + 1, words=f"note {highest + 1}"))

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(notes(database)) == 40


def test_threads_of_one_process_take_turns_at_writing_to_sqlite(database: Database) -> None:
    order: list[str] = []

    def second() -> None:
        with database.transaction() as session:
            order.append("second")
            session.add(Note(words="second"))

    waiting = threading.Thread(target=second)
    with database.transaction() as session:
        session.add(Note(words="first"))
        waiting.start()
        waiting.join(0.2)
        order.append("first")
    waiting.join(10)
    assert order == ["first", "second"]
    assert notes(database) == ["first", "second"]


def test_a_reader_is_not_held_up_by_a_writer(database: Database) -> None:
    with database.transaction() as session:
        session.add(Note(words="not yet"))
        session.flush()
        assert notes(database) == []


@given(
    at=st.datetimes(
        min_value=datetime(1970, 1, 2),  # noqa: DTZ001  (hypothesis adds the zone)
        max_value=datetime(2100, 1, 1),  # noqa: DTZ001
        timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
    )
)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_moment_comes_back_as_the_same_moment_in_utc(database: Database, at: datetime) -> None:
    with database.transaction() as session:
        key = session.execute(insert(moments).values(at=at).returning(moments.c.id)).scalar_one()
    with database.read() as session:
        stored = session.execute(select(moments.c.at).where(moments.c.id == key)).scalar_one()
    assert stored == at
    assert stored.tzinfo is UTC


def test_a_moment_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="without a time zone"), database.transaction() as session:
        session.execute(insert(moments).values(at=datetime(2026, 11, 21)))  # noqa: DTZ001


def test_insert_if_absent_says_whether_it_inserted(database: Database) -> None:
    table = Note.__table__
    assert isinstance(table, Table)
    with database.transaction() as session:
        assert insert_if_absent(session, table, {"id": 1, "words": "a"})
        assert not insert_if_absent(session, table, {"id": 1, "words": "b"})
        assert not insert_if_absent(session, table, {"id": 2, "words": "a"})
        assert insert_if_absent(session.connection(), table, {"id": 3, "words": "c"})
    assert notes(database) == ["a", "c"]


def test_errors_do_not_quote_the_values_of_a_row(database: Database) -> None:
    with database.transaction() as session:
        session.add(Note(words="secret words"))
    with pytest.raises(IntegrityError) as error, database.transaction() as session:
        session.add(Note(words="secret words"))
    assert "secret words" not in str(error.value)


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "mysql://u:hidden@h/d", "no url: hidden", "oops://hidden"]
)
def test_a_database_url_that_can_not_be_used_is_refused_without_being_quoted(url: str) -> None:
    with pytest.raises((DatabaseUrlError, Exception)) as error:
        open_database(url, name="x")
    assert isinstance(error.value, DatabaseUrlError)
    assert "hidden" not in str(error.value)


def test_a_child_process_does_not_use_its_parents_connections(database: Database) -> None:
    with database.transaction() as session:
        session.add(Note(words="of the parent"))

    def in_child(answers: "multiprocessing.Queue[str]") -> None:
        with database.transaction() as session:
            session.add(Note(words="of the child"))
        answers.put(database.engine.pool.status())

    context = multiprocessing.get_context("fork")
    answers: multiprocessing.Queue[str] = context.Queue()
    child = context.Process(target=in_child, args=(answers,))
    child.start()
    child.join(20)
    assert child.exitcode == 0
    assert notes(database) == ["of the parent", "of the child"]
    with database.read() as session:
        assert session.execute(text("SELECT count(*) FROM notes")).scalar_one() == 2


def test_health_is_an_answered_query(database: Database) -> None:
    assert database.answers()


def test_a_databases_name_shows_no_password() -> None:
    opened = open_database("postgresql://someone:hidden@db.example/crm", name="crm")
    assert "hidden" not in repr(opened) + str(opened.url)
    assert opened.dialect == "postgresql"
