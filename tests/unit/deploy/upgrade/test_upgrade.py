"""What an upgrade would do is seen on an empty database, said, and then done; what more than adds is refused."""

import textwrap
from pathlib import Path

import pytest
import sqlalchemy as sa

from chassis.db import open_database
from chassis.db.migrate import INITIAL, Migrations
from deploy.backup.rules import BackupFault
from deploy.dev import letter_keys
from deploy.upgrade import __main__ as program
from deploy.upgrade.plan import durations, plan_of
from deploy.upgrade.rules import Column, Shape, changed, tables_read

SERVICES = ("vault", "notifier", "portal", "crm")
TEXT = Column(type="VARCHAR(20)", required=True, default=False)


def shape(columns: dict[str, Column], **demands: str) -> Shape:
    return Shape(
        columns=columns,
        demands={words: frozenset(names.split()) for words, names in demands.items()},
        indexes=frozenset(),
    )


BEFORE = {"card": shape({"id": TEXT, "note": Column(type="VARCHAR(20)", required=False, default=False)})}


@pytest.mark.parametrize(
    ("after", "words"),
    [
        ({}, "table card goes"),
        ({"card": shape({"id": TEXT})}, "column card.note goes"),
        (
            {"card": shape({**BEFORE["card"].columns, "colour": TEXT})},
            "column card.colour is new, required, and has no default",
        ),
        ({"card": shape({"id": TEXT, "note": TEXT})}, "column card.note becomes required"),
        (
            {"card": shape({**BEFORE["card"].columns, "id": Column(type="VARCHAR(9)", required=True, default=False)})},
            "column card.id changes from VARCHAR(20) to VARCHAR(9)",
        ),
        ({"card": shape(dict(BEFORE["card"].columns), unique="note")}, "card: newly demanded: unique"),
        ({"card": shape(dict(BEFORE["card"].columns), check="")}, "card: newly demanded: check"),
        (
            {
                "card": shape(
                    {**BEFORE["card"].columns, "kind": Column(type="VARCHAR(9)", required=True, default=True)},
                    unique="kind",
                )
            },
            "card: newly demanded: unique",
        ),
    ],
)
def test_what_a_process_of_before_can_not_live_with_is_named(after: dict[str, Shape], words: str) -> None:
    assert changed(BEFORE, after).narrowed == (words,)


def test_what_it_need_not_know_of_only_adds() -> None:
    nullable = Column(type="VARCHAR(9)", required=False, default=False)
    wider = Column(type="VARCHAR(40)", required=True, default=False)
    after = {
        "card": shape({**BEFORE["card"].columns, "id": wider, "owner": nullable}, key="owner"),
        "owner": shape({"id": TEXT}, unique="id"),
    }
    change = changed(BEFORE, after)
    assert change.narrowed == ()
    assert change.grown == ("table owner is new", "column card.owner is new")


def test_values_that_are_sorted_otherwise_are_the_same_values() -> None:
    def typed(name: str) -> dict[str, Shape]:
        return {"card": shape({"id": Column(type=name, required=True, default=False)})}

    assert changed(typed("TEXT"), typed('TEXT COLLATE "C"')).narrowed == ()
    assert changed(typed("VARCHAR(9)"), typed('VARCHAR(9) COLLATE "C"')).narrowed == ()
    assert changed(typed("VARCHAR(9)"), typed('VARCHAR(8) COLLATE "C"')).narrowed != ()


def test_a_lost_default_narrows() -> None:
    filled = {"card": shape({"id": Column(type="VARCHAR(20)", required=True, default=True)})}
    assert changed(filled, {"card": shape({"id": TEXT})}).narrowed == ("column card.id loses its default",)


def test_tables_whose_rows_are_gone_through_are_read_from_the_statements() -> None:
    said = [
        'INSERT INTO a SELECT id FROM "segment" JOIN client ON 1',
        "update Booking set x = 1",
        "SELECT 1 FROM other",
    ]
    assert tables_read(said, ["segment", "client", "booking"]) == {"segment", "client", "booking"}


@pytest.mark.parametrize("service", SERVICES)
def test_every_revision_since_the_first_only_adds(service: str, tmp_path: Path) -> None:
    """Old and new processes run side by side during an upgrade (O12)."""
    migrations, url = program.migrations_of(service), f"sqlite:///{tmp_path}/old.db"
    migrations.upgrade(url, to=INITIAL)
    plan = plan_of(migrations, url)
    assert plan.present == INITIAL
    assert plan.steps
    assert [words for step in plan.steps for words in step.change.narrowed] == []


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation of before: a table at the first revision of three, with two rows."""
    versions = tmp_path / "versions"
    versions.mkdir()
    write_revision(
        versions, "0001_initial", None, 'op.create_table("card", sa.Column("id", sa.String(9), nullable=False))'
    )
    write_revision(
        versions, "0002_notes", "0001_initial", 'op.add_column("card", sa.Column("note", sa.String(9), nullable=True))'
    )
    migrations = Migrations(service="notifier", metadata=sa.MetaData(), versions=versions)
    monkeypatch.setattr(program, "migrations_of", lambda _service: migrations)
    for name, value in {"STATE_DIR": str(tmp_path), "DATABASE_URL": f"sqlite:///{tmp_path}/cards.db"}.items():
        monkeypatch.setenv(f"NOTIFIER_{name}", value)
    monkeypatch.setenv("WAYVAULT_STATE", str(tmp_path))
    migrations.upgrade(f"sqlite:///{tmp_path}/cards.db", to=INITIAL)
    database = open_database(f"sqlite:///{tmp_path}/cards.db", name="test")
    with database.engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO card VALUES ('a'), ('b')")
    database.dispose()
    return tmp_path


def write_revision(versions: Path, name: str, after: str | None, change: str) -> None:
    text = f'''
        """What {name} is for"""
        import sqlalchemy as sa
        from alembic import op
        revision, down_revision, branch_labels, depends_on = {name!r}, {after!r}, None, None
        def upgrade() -> None:
            {change}
    '''
    (versions / f"{name}.py").write_text(textwrap.dedent(text).lstrip(), "utf-8")


Said = pytest.CaptureFixture[str]


def test_check_says_what_would_run_and_changes_nothing(house: Path, capsys: Said) -> None:
    before = (house / "cards.db").read_bytes()
    assert program.main(["notifier", "--check", "--copy"]) == 0
    said = capsys.readouterr().out
    assert "notifier: stands at 0001_initial; 1 revision(s) would run" in said
    assert "0002_notes: What 0002_notes is for" in said
    assert "only adds: column card.note is new" in said
    assert "Every revision only adds" in said
    assert "on a copy of notifier's database:\n    0002_notes: 0." in said
    assert (house / "cards.db").read_bytes() == before


def test_a_revision_that_narrows_needs_the_old_processes_stopped(house: Path, capsys: Said) -> None:
    change = 'op.execute("UPDATE card SET note = 1"); op.drop_column("card", "id")'
    write_revision(house / "versions", "0003_other", "0002_notes", change)
    assert program.main(["notifier", "--check"]) == 3
    said = capsys.readouterr().out
    assert "NARROWS" in said
    assert "old processes break on this: column card.id goes" in said
    assert "goes through 2 rows of card" in said
    assert program.main(["notifier"]) == 3, "without --stopped nothing is done"
    assert revision_of(house) == INITIAL


def test_a_database_of_a_newer_version_is_left_alone(house: Path, capsys: Said) -> None:
    database = open_database(f"sqlite:///{house}/cards.db", name="test")
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0099_of_tomorrow'")
    database.dispose()
    assert program.main(["notifier"]) == 0
    assert "which a newer version made; this code goes on beside it" in capsys.readouterr().out
    assert revision_of(house) == "0099_of_tomorrow"


def test_a_copy_on_postgresql_needs_somebody_who_may_make_one(house: Path) -> None:
    migrations = program.migrations_of("notifier")
    plan = plan_of(migrations, f"sqlite:///{house}/cards.db")
    with pytest.raises(BackupFault, match="set WAYVAULT_POSTGRES_ADMIN_URL"):
        list(durations(migrations, "postgresql+psycopg://nobody@127.0.0.1:9/none", plan))


def test_what_can_not_be_done_is_said(house: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit) as ended:
        program.main(["nobody"])
    assert ended.value.code == 2
    monkeypatch.setenv("NOTIFIER_DATABASE_URL", f"sqlite:///{house}/none.db")
    assert program.main(["notifier", "--check"]) == 1
    assert "There is no database" in capsys.readouterr().err
    assert not (house / "none.db").exists()
    monkeypatch.setenv("NOTIFIER_DATABASE_URL", f"sqlite:///{house}/broken.db")
    (house / "broken.db").write_text("this is no database, however long one looks at it", "utf-8")
    assert program.main(["notifier", "--check"]) == 1
    assert "a database can't be used" in capsys.readouterr().err


def revision_of(house: Path) -> str:
    database = open_database(f"sqlite:///{house}/cards.db", name="test")
    try:
        with database.engine.connect() as connection:
            return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one())
    finally:
        database.dispose()


def test_the_services_own_migrate_is_what_runs(tmp_path: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path}/notifier.db"
    monkeypatch.setenv("WAYVAULT_STATE", str(tmp_path))
    for name, value in {"STATE_DIR": str(tmp_path), "DATABASE_URL": url}.items():
        monkeypatch.setenv(f"NOTIFIER_{name}", value)
    letter_keys.ensure(tmp_path / "secrets")
    migrations = program.migrations_of("notifier")
    migrations.upgrade(url, to=INITIAL)
    assert program.main(["notifier"]) == 0
    assert "Next: start the new processes" in capsys.readouterr().out
    migrations.check(url)
    assert program.main(["notifier", "--check"]) == 0
    assert "There is nothing to do." in capsys.readouterr().out
