"""What a version between two releases wrote as a payment's state is put where the last release can read it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from chassis.db.migrate import Migrations
from services.crm.migrations import MIGRATIONS

STATES = ("requested", "authorized", "scheduled", "reported", "declined", "reversed", "voided", "processed")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A database as it was before, with a payment in each state."""
    crm, url, before = MIGRATIONS, f"sqlite:///{tmp_path}/crm.db", tmp_path / "versions"
    before.mkdir()
    (mine,) = crm.versions.glob("*_exact_states.py")
    for revision in crm.versions.glob("0*.py"):
        if revision.name < mine.name:
            shutil.copy(revision, before)
    Migrations(service="crm", metadata=crm.metadata, versions=before).upgrade(url)
    made = create_engine(url)
    with made.begin() as connection:
        required = [
            row.name
            for row in connection.execute(text("PRAGMA table_info(payment)"))
            if row.notnull and row.dflt_value is None and row.name not in ("id", "state")
        ]
        names, zeros = ", ".join(required), ", ".join("'0'" for _ in required)
        for state in STATES:
            connection.execute(text(f"INSERT INTO payment (id, state, {names}) VALUES ('{state}', '{state}', {zeros})"))
    crm.upgrade(url)
    crm.check(url)
    yield made
    made.dispose()


def test_each_state_of_before_is_one_that_the_last_release_knows_and_the_exact_one_beside_it(engine: Engine) -> None:
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT id, state, state_now FROM payment")).all()
    assert {row.id: (row.state, row.state_now) for row in rows} == {
        "requested": ("requested", None),
        "authorized": ("authorized", None),
        "scheduled": ("authorized", "scheduled"),
        "reported": ("revoked", "reported"),
        "declined": ("voided", "declined"),
        "reversed": ("voided", "reversed"),
        "voided": ("voided", None),
        "processed": ("processed", None),
    }
