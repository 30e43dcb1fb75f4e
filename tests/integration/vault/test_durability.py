"""The vault on a real PostgreSQL that may forget what it acknowledged: a reveal that is forgotten is shown twice."""

from pathlib import Path

import pytest

from chassis.db import Database, open_database
from chassis.db.durability import NotDurable, demand_durable
from tests.support.postgres_server import own_postgres

pytestmark = [pytest.mark.engines, pytest.mark.enable_socket]


def forget_commits(database: Database) -> None:
    """For new connections to this database only."""
    quote = database.engine.dialect.identifier_preparer.quote
    with database.engine.begin() as connection:
        connection.exec_driver_sql(
            f"ALTER ROLE CURRENT_USER IN DATABASE {quote(str(database.url.database))} SET synchronous_commit = off"
        )


def test_postgresql_whose_commits_do_not_wait_for_the_disk_is_refused(postgres_url: str) -> None:
    database = open_database(postgres_url, name="vault")
    try:
        demand_durable(database)
        forget_commits(database)
        database.dispose()
        with pytest.raises(NotDurable, match="synchronous_commit is off"):
            demand_durable(database)
    finally:
        database.dispose()


def test_a_standby_that_no_commit_waits_for_is_refused(tmp_path: Path) -> None:
    with own_postgres(tmp_path) as server:
        database = open_database(server.url("postgres"), name="vault")
        try:
            demand_durable(database)
            server.add_standby("standby_b")
            with pytest.raises(NotDurable, match=r"a standby \(standby_b\)"):
                demand_durable(database)
            server.set("synchronous_standby_names", "standby_b")
            demand_durable(database)
        finally:
            database.dispose()
