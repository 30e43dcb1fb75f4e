"""Existing segments get a row for each of their due amounts."""

import shutil
from pathlib import Path

from sqlalchemy import Engine, create_engine, text

from chassis.db.migrate import Migrations
from services.crm.migrations import MIGRATIONS

READ = "id, kind, position, amount_minor, due_on, until_then_minor, active"


READ = "id, kind, position, amount_minor, due_on, until_then_minor, active"


def test_deposits_and_final_payments_of_before_become_rows(tmp_path: Path) -> None:
    crm, url = MIGRATIONS, f"sqlite:///{tmp_path}/crm.db"
    before = tmp_path / "versions"
    before.mkdir()
    (mine,) = crm.versions.glob("*_instalments.py")
    for revision in crm.versions.glob("0*.py"):
        if revision.name < mine.name:
            shutil.copy(revision, before)
    Migrations(service="crm", metadata=crm.metadata, versions=before).upgrade(url)
    engine = create_engine(url)
    _add_segments(engine)
    crm.upgrade(url)
    crm.check(url)
    with engine.connect() as connection:
        rows = connection.execute(text(f"SELECT {READ} FROM instalment ORDER BY id")).all()
    engine.dispose()
    assert [tuple(row) for row in rows] == [
        ("both-deposit", "deposit", 0, 500, "2026-12-01", 500, 1),
        ("both-final", "final", 1, 1500, "2027-04-01", 2000, 1),
        ("last-final", "final", 0, 900, None, 900, 1),
    ]


def _add_segments(engine: Engine) -> None:
    columns = "id, booking_id, position, supplier_name, kind, confirmation_number, description"
    amounts = "deposit_minor, deposit_due_on, final_minor, final_due_on"
    with engine.begin() as connection:
        for segment_id, values in (
            ("both", "500, '2026-12-01', 1500, '2027-04-01'"),
            ("last", "NULL, NULL, 900, NULL"),
            ("none", "NULL, NULL, NULL, NULL"),
        ):
            connection.execute(
                text(
                    f"INSERT INTO segment ({columns}, {amounts})"
                    f" VALUES ('{segment_id}', 'b', 0, 's', 'hotel', '', '', {values})"
                )
            )
