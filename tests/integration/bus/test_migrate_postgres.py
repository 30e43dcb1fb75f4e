"""What migrations promise on PostgreSQL: one at a time, no endless waiting, all or nothing."""

import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, String, Table, text

from chassis.bus import EventTables
from chassis.db import UtcDateTime, make_metadata, migrate, open_database
from chassis.db.migrate import MigrationError, Migrations, SchemaDrift


@pytest.fixture
def migrations(tmp_path: Path) -> Migrations:
    metadata = make_metadata()
    EventTables.attach(metadata)
    Table(
        "trips",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("title", String(50), unique=True),
        Column("at", UtcDateTime, nullable=False),
    )
    made = Migrations(service="trips", metadata=metadata, versions=tmp_path / "versions")
    made.new_revision("initial", replace_initial=True)
    return made


def test_a_revision_made_on_sqlite_gives_postgresql_what_the_models_say(
    migrations: Migrations, postgres_url: str
) -> None:
    migrations.upgrade(postgres_url)
    migrations.check(postgres_url)
    migrations.metadata.tables["trips"].append_column(Column("note", String(10)))
    with pytest.raises(SchemaDrift, match="note"):
        migrations.check(postgres_url)
    migrations.new_revision("Add a note")
    migrations.upgrade(postgres_url)
    migrations.check(postgres_url)


def test_upgrades_at_the_same_time_wait_for_each_other(migrations: Migrations, postgres_url: str) -> None:
    faults: list[BaseException] = []

    def upgrade() -> None:
        try:
            migrations.upgrade(postgres_url)
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=upgrade) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    migrations.check(postgres_url)


def test_an_upgrade_gives_up_on_a_table_that_stays_locked(
    migrations: Migrations, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrations.upgrade(postgres_url)
    migrations.metadata.tables["trips"].append_column(Column("note", String(10)))
    migrations.new_revision("Add a note")
    monkeypatch.setattr(migrate, "LOCK_TIMEOUT_MS", 200)
    database = open_database(postgres_url, name="holder")
    with database.transaction() as session:
        session.execute(text("SELECT * FROM trips"))
        begun = time.monotonic()
        with pytest.raises(MigrationError, match=r"lock timeout.*nothing was changed"):
            migrations.upgrade(postgres_url)
        assert time.monotonic() - begun < 5
    database.dispose()
    migrations.upgrade(postgres_url)
    migrations.check(postgres_url)


def test_a_statement_that_takes_too_long_is_cancelled_and_nothing_is_changed(
    migrations: Migrations, postgres_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    revision = tmp_path / "versions" / "0001_initial.py"
    slow = "    op.execute('SELECT pg_sleep(30)')\n\n\ndef downgrade"
    revision.write_text(revision.read_text().replace("\n\ndef downgrade", slow))
    monkeypatch.setattr(migrate, "STATEMENT_TIMEOUT_MS", 300)
    with pytest.raises(MigrationError, match="nothing was changed"):
        migrations.upgrade(postgres_url)
    database = open_database(postgres_url, name="look")
    with database.read() as session:
        assert session.execute(text("SELECT count(*) FROM pg_tables WHERE tablename = 'trips'")).scalar_one() == 0
    database.dispose()


def test_a_reading_session_can_not_write_even_with_plain_sql(migrations: Migrations, postgres_url: str) -> None:
    migrations.upgrade(postgres_url)
    database = open_database(postgres_url, name="look")
    with database.read() as session, pytest.raises(Exception, match="read-only"):
        session.execute(text("INSERT INTO trips (title, at) VALUES ('x', now())"))
    with database.transaction() as session:
        session.execute(text("INSERT INTO trips (title, at) VALUES ('x', now())"))
    database.dispose()
