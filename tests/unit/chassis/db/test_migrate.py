"""Migrations on SQLite (on PostgreSQL: tests/integration/bus/test_migrate_postgres.py)."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import Column, Index, Integer, MetaData, String, Table, text

from chassis.bus import EventTables
from chassis.db import UtcDateTime, make_metadata, open_database
from chassis.db.migrate import INITIAL, MigrationError, Migrations, SchemaDrift


def first_tables() -> MetaData:
    metadata = make_metadata()
    EventTables.attach(metadata)
    Table(
        "trips",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("title", String(50), nullable=False, unique=True),
        Column("made_at", UtcDateTime, nullable=False, index=True),
    )
    return metadata


@pytest.fixture
def versions(tmp_path: Path) -> Path:
    return tmp_path / "migrations" / "versions"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/trips.db"


@pytest.fixture
def migrations(versions: Path) -> Migrations:
    made = Migrations(service="trips", metadata=first_tables(), versions=versions)
    assert made.new_revision("initial", replace_initial=True).name == f"{INITIAL}.py"
    return made


def test_an_upgraded_database_is_what_the_models_say(migrations: Migrations, url: str) -> None:
    migrations.upgrade(url)
    migrations.check(url)
    migrations.upgrade(url)
    migrations.check(url)


def test_a_database_that_was_never_upgraded_is_drift(migrations: Migrations, url: str) -> None:
    with pytest.raises(SchemaDrift, match="revision none"):
        migrations.check(url)


@pytest.mark.parametrize("change", ["table", "column", "index"])
def test_a_model_without_a_revision_is_drift(migrations: Migrations, url: str, change: str) -> None:
    migrations.upgrade(url)
    trips = migrations.metadata.tables["trips"]
    match change:
        case "table":
            Table("extra", migrations.metadata, Column("id", Integer, primary_key=True))
        case "column":
            trips.append_column(Column("extra", String(10)))
        case _:
            Index("ix_trips_extra", trips.c.title, trips.c.made_at)
    with pytest.raises(SchemaDrift, match="extra"):
        migrations.check(url)


def test_a_later_revision_leads_on_from_the_first(migrations: Migrations, url: str, versions: Path) -> None:
    migrations.upgrade(url)
    migrations.metadata.tables["trips"].append_column(Column("note", String(10)))
    assert migrations.new_revision("Add a note").name == "0002_add_a_note.py"
    migrations.upgrade(url)
    migrations.check(url)
    assert sorted(file.name for file in versions.glob("*.py")) == ["0001_initial.py", "0002_add_a_note.py"]


def test_a_failed_upgrade_changes_nothing(migrations: Migrations, url: str, versions: Path) -> None:
    revision = versions / f"{INITIAL}.py"
    revision.write_text(
        revision.read_text().replace("def downgrade", "    raise RuntimeError('half way')\n\n\ndef downgrade")
    )
    with pytest.raises(RuntimeError, match="half way"):
        migrations.upgrade(url)
    database = open_database(url, name="look")
    with database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT name FROM sqlite_master").all() == []
    database.dispose()


def test_upgrades_at_the_same_time_do_the_work_once(migrations: Migrations, url: str) -> None:
    faults: list[BaseException] = []

    def upgrade() -> None:
        try:
            migrations.upgrade(url)
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=upgrade) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    migrations.check(url)


def test_a_new_revision_formats_like_the_rest_of_the_house(migrations: Migrations, versions: Path) -> None:
    source = (versions / f"{INITIAL}.py").read_text()
    assert "from chassis.db import UtcDateTime" in source
    assert "###" not in source
    assert "UtcDateTime(), nullable=False" in source
    subprocess.run([sys.executable, "-m", "ruff", "format", "--check", "-q", str(versions)], check=True)


def test_an_upgrade_that_finds_the_database_locked_says_so(
    migrations: Migrations, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.db.engine._PATIENCE_SECONDS", 0.1)
    holder = open_database(url, name="holder")
    with holder.transaction() as session:
        session.execute(text("SELECT 1"))  # takes the write lock
        with pytest.raises(MigrationError, match="nothing was changed"):
            migrations.upgrade(url)
    holder.dispose()


def test_a_process_serves_on_a_database_that_a_newer_version_has_upgraded_but_not_on_an_older_one(
    migrations: Migrations, url: str
) -> None:
    database = open_database(url, name="trips")
    with pytest.raises(SchemaDrift, match="none"):
        migrations.demand_newest(database)
    migrations.upgrade(url)
    migrations.demand_newest(database)
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0009_of_tomorrow'"))
    migrations.demand_newest(database)
    database.dispose()


def test_a_process_does_not_serve_on_a_database_that_is_behind(versions: Path, url: str) -> None:
    metadata = first_tables()
    before = Migrations(service="trips", metadata=metadata, versions=versions)
    before.new_revision("initial", replace_initial=True)
    before.upgrade(url)
    Table("notes", metadata, Column("id", Integer, primary_key=True))
    before.new_revision("notes")
    after = Migrations(service="trips", metadata=metadata, versions=versions.parent / "versions" / ".")
    database = open_database(url, name="trips")
    with pytest.raises(SchemaDrift, match=INITIAL):
        after.demand_newest(database)
    database.dispose()
