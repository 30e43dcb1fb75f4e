"""The audit trail on PostgreSQL: many writers, several processes, and a role that can only add and read."""

import multiprocessing
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DatabaseError

from chassis.clock import SystemClock
from chassis.db import open_database
from chassis.sealing import OpeningKey
from services.vault.audit.service import Audit, AuditEntry, grants_for
from services.vault.transit.service import open_transit
from tests.support.vault import VaultRooms, vault_rooms

ENTRY = AuditEntry(action="card.stored", actor="portal", resource="card_1", card_token="card_1")


@pytest.fixture
def rooms(tmp_path: Path, postgres_url: str) -> Iterator[VaultRooms]:
    with vault_rooms(tmp_path, SystemClock(), database_url=postgres_url) as rooms:
        yield rooms


def write(rooms: VaultRooms, count: int, audit: Audit) -> None:
    for _ in range(count):
        with rooms.database.transaction() as session:
            audit.record(session, ENTRY)


def test_sixteen_writers_of_one_process_never_wait_for_each_others_chain(rooms: VaultRooms) -> None:
    """Each holds its transaction open until all have written: at one lock the first would block the rest for good."""
    with ThreadPoolExecutor(16) as pool:
        barrier = threading.Barrier(16)

        def writer(_: int) -> None:
            with rooms.database.transaction() as session:
                rooms.audit.record(session, ENTRY)
                barrier.wait(timeout=20)

        list(pool.map(writer, range(16)))
    report = rooms.audit.verify()
    assert (report.chains, report.rows, report.findings) == (16, 16, [])


def test_several_processes_write_at_once_and_the_trail_is_whole(
    rooms: VaultRooms, tmp_path: Path, postgres_url: str
) -> None:
    context = multiprocessing.get_context("fork")  # quick to start; the child opens everything anew
    key = rooms.signing_key.private_jwk()
    workers = [context.Process(target=_writer, args=(postgres_url, str(tmp_path), key)) for _ in range(3)]
    for worker in workers:
        worker.start()
    write(rooms, 50, rooms.audit)
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]

    rooms.audit.close()
    report = rooms.audit.verify()
    assert (report.rows, report.findings) == (50 + 3 * 4 * 25, [])
    assert report.heads >= report.chains


def _writer(url: str, folder: str, key: bytes) -> None:
    clock = SystemClock()
    transit = open_transit(f"embedded:///{folder}/keyring.json", clock=clock)
    database = open_database(url, name="vault-test", pool_size=8)
    audit = Audit(
        database,
        transit.sealing,
        heads_file=Path(folder) / "heads.jws",
        signing_key=OpeningKey(key),
        clock=clock,
    )
    audit.prepare()

    def write(_: int) -> None:
        for _ in range(25):
            with database.transaction() as session:
                audit.record(session, ENTRY)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    audit.close()
    database.dispose()


def test_writers_that_believe_they_hold_the_same_chain_do_not_fork_it(rooms: VaultRooms) -> None:
    write(rooms, 1, rooms.audit)
    twin = rooms.another_process()
    twin._trail._writer = rooms.audit._trail._writer
    twin._trail._free = list(rooms.audit._trail._free)

    for _ in range(5):
        write(rooms, 1, twin)
        write(rooms, 1, rooms.audit)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda audit: write(rooms, 20, audit), (twin, rooms.audit)))

    report = rooms.audit.verify()
    assert (report.rows, report.findings) == (51, [])


def test_the_tables_guard_refuses_even_their_owner(rooms: VaultRooms) -> None:
    write(rooms, 1, rooms.audit)

    for statement in ("UPDATE audit_rows SET actor = 'x'", "DELETE FROM audit_rows", "TRUNCATE audit_rows"):
        with pytest.raises(DatabaseError, match="never changed"), rooms.database.engine.begin() as connection:
            connection.execute(text(statement))


def test_the_applications_role_can_add_and_read_and_nothing_else(rooms: VaultRooms, postgres_url: str) -> None:
    role = f"wv_audit_{time.monotonic_ns()}"
    with rooms.database.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER audit_rows_no_change ON audit_rows"))
        try:
            connection.begin_nested()
            connection.execute(text(f"CREATE ROLE {role}"))
        except DatabaseError:
            pytest.skip("the test's PostgreSQL user may not make roles")
        connection.execute(text(f"GRANT {role} TO CURRENT_USER"))
        connection.execute(text(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}"))
        for statement in grants_for(role):
            connection.execute(text(statement))
    write(rooms, 1, rooms.audit)
    engine = create_engine(make_url(postgres_url).set(drivername="postgresql+psycopg"))
    try:
        for statement in ("UPDATE audit_rows SET actor = 'x'", "DELETE FROM audit_rows", "TRUNCATE audit_rows"):
            with engine.begin() as connection:
                connection.execute(text(f"SET ROLE {role}"))
                with pytest.raises(DatabaseError, match="permission denied"):
                    connection.execute(text(statement))
        with engine.begin() as connection:
            connection.execute(text(f"SET ROLE {role}"))
            assert connection.execute(text("SELECT count(*) FROM audit_rows")).scalar_one() == 1
            connection.execute(
                text(
                    "INSERT INTO audit_rows SELECT chain_id, 2, at, action, result, actor, agent_id, "
                    "resource, card_token, reason, ip, user_agent, key_id, mac, mac FROM audit_rows"
                )
            )
    finally:
        engine.dispose()
        with rooms.database.engine.begin() as connection:
            connection.execute(text(f"DROP OWNED BY {role}"))
            connection.execute(text(f"DROP ROLE {role}"))


@pytest.mark.parametrize("name", ["", "wv; DROP TABLE x", 'a"b', "a b"])
def test_a_roles_name_is_a_plain_identifier(name: str) -> None:
    with pytest.raises(ValueError, match="role"):
        grants_for(name)
