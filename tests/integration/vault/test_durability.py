"""The vault on a real PostgreSQL that may forget what it acknowledged: a reveal that is forgotten is shown twice."""

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from chassis.db import Database, open_database
from chassis.db.durability import NotDurable, demand_durable
from deploy.dev.engines.host import wait_until
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


def test_what_no_standby_has_yet_is_no_answer_to_a_repeated_call(tmp_path: Path) -> None:
    """A commit whose session is ended while it waits for the standby is seen by others all the same; a failover would
    forget it. Who reads it must not be told that it is done before the standby has it."""
    with own_postgres(tmp_path) as server:
        server.add_standby("standby_b")
        server.set("synchronous_standby_names", "standby_b")
        database = open_database(server.url("postgres"), name="vault")
        try:
            with database.transaction() as session:
                session.execute(text("CREATE TABLE act (done int)"))
            server.stop_standby()
            with ThreadPoolExecutor(2) as pool:
                first = pool.submit(insert_one, database)
                end_the_one_that_waits(server.server.admin_url())
                with pytest.raises(DBAPIError):
                    first.result(10)
                with database.read() as session:
                    assert session.execute(text("SELECT done FROM act")).all() == [(1,)]
                # A kept answer; and the kept answer of a reveal, whose row is read with a lock.
                repeated = [pool.submit(database.settle), pool.submit(lock_one, database)]
                for each in repeated:
                    with pytest.raises(FutureTimeout):
                        each.result(1.0)
                server.start_standby()
                for each in repeated:
                    each.result(20)
        finally:
            database.dispose()


def insert_one(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("INSERT INTO act VALUES (1)"))


def lock_one(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("SELECT done FROM act FOR UPDATE"))


def end_the_one_that_waits(admin_url: str) -> None:
    """As an operator might who sees a session hang."""
    query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    with psycopg.connect(admin_url, autocommit=True) as connection:
        wait_until(
            lambda: connection.execute(query).fetchone() == (True,),
            what="a commit that waits for the standby",
            seconds=10,
        )
