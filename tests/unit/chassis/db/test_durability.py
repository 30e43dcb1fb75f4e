"""A database that may forget what it acknowledged is found out."""

from pathlib import Path

import pytest

from chassis.db import open_database
from chassis.db.durability import demand_durable, durability_faults

_SAFE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "synchronous_standby_names": ""}


def test_postgresql_as_it_comes_keeps_what_it_acknowledged() -> None:
    assert durability_faults(_SAFE) == []
    assert durability_faults(_SAFE | {"synchronous_standby_names": "ANY 1 (a, b)"}) == []
    assert durability_faults(_SAFE | {"synchronous_commit": "local"}) == []


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes", "synchronous_commit"])
def test_what_is_off_is_named(setting: str) -> None:
    (fault,) = durability_faults(_SAFE | {setting: "off"})
    assert setting in fault


def test_a_commit_that_waits_for_no_standby_is_not_kept_where_there_are_some() -> None:
    (fault,) = durability_faults(_SAFE | {"synchronous_commit": "local", "synchronous_standby_names": "b"})
    assert "failover" in fault


def test_a_standby_that_no_commit_waits_for_is_named() -> None:
    (fault,) = durability_faults(_SAFE, ["standby_b", "pg_receivewal"])
    assert "a standby (standby_b)" in fault
    assert durability_faults(_SAFE, ["pg_receivewal", "pg_basebackup"]) == []
    assert durability_faults(_SAFE | {"synchronous_standby_names": "standby_b"}, ["standby_b"]) == []


@pytest.mark.enable_socket
def test_sqlite_and_a_database_that_is_away_are_not_judged(tmp_path: Path) -> None:
    here = open_database(f"sqlite:///{tmp_path}/here.db", name="here")
    demand_durable(here)
    here.dispose()
    away = open_database("postgresql+psycopg://nobody@127.0.0.1:9/none?connect_timeout=1", name="away")
    demand_durable(away)
    away.dispose()
