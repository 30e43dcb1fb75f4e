"""Writing the trail: with the act or not at all, on a chain of one's own, never with card data."""

import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Row, select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from services.vault.audit.models import AuditChain, AuditRow
from services.vault.audit.service import Audit, AuditEntry
from services.vault.transit.service import TransitUnavailable
from tests.support.clock import FakeClock
from tests.support.vault import VaultRooms


def entry(action: str = "card.stored", **fields: str) -> AuditEntry:
    return AuditEntry(action=action, actor="portal", resource="card_1", **fields)  # type: ignore[arg-type]


def write(rooms: VaultRooms, count: int, audit: Audit | None = None) -> None:
    for _ in range(count):
        with rooms.database.transaction() as session:
            (audit or rooms.audit).record(session, entry())


def write_and_fail(rooms: VaultRooms) -> None:
    with suppress(ZeroDivisionError), rooms.database.transaction() as session:
        rooms.audit.record(session, entry())
        raise ZeroDivisionError


def chains(rooms: VaultRooms) -> int:
    with rooms.database.read() as session:
        return len(session.execute(select(AuditChain.chain_id)).all())


def rows(rooms: VaultRooms) -> list[Row[Any]]:
    with rooms.database.read() as session:
        return list(session.execute(select(AuditRow.__table__).order_by(AuditRow.chain_id, AuditRow.sequence)))


def test_a_row_keeps_who_what_when_from_where_and_with_what_result(rooms: VaultRooms, clock: FakeClock) -> None:
    with rooms.database.transaction() as session:
        rooms.audit.record(
            session,
            AuditEntry(
                action="code.refused",
                result="refused",
                actor="crm",
                agent_id="agent_1",
                resource="challenge_1",
                card_token="card_1",
                reason="CODE_WRONG",
                ip="198.51.100.7",
                user_agent="Browser/1.0",
            ),
        )
    with rooms.database.read() as session:
        (record,) = rooms.audit.of_card(session, "card_1")
    assert record.at == clock.now()
    assert (record.entry.action, record.entry.result, record.entry.reason) == ("code.refused", "refused", "CODE_WRONG")
    assert (record.entry.actor, record.entry.agent_id, record.entry.ip) == ("crm", "agent_1", "198.51.100.7")


def test_one_writer_keeps_to_one_chain(rooms: VaultRooms) -> None:
    write(rooms, 5)

    assert [row.sequence for row in rows(rooms)] == [1, 2, 3, 4, 5]
    assert chains(rooms) == 1


def test_several_rows_in_one_transaction_follow_each_other(rooms: VaultRooms) -> None:
    with rooms.database.transaction() as session:
        first, second = (rooms.audit.record(session, entry(action)) for action in ("card.removed", "card.stored"))

    assert second.prev_mac == first.mac
    assert rooms.audit.verify().findings == []


def test_an_act_that_is_rolled_back_leaves_no_row_and_the_chain_goes_on(rooms: VaultRooms) -> None:
    write(rooms, 1)
    write_and_fail(rooms)
    write(rooms, 1)

    assert [row.sequence for row in rows(rooms)] == [1, 2]
    assert rooms.audit.verify().findings == []


def test_a_first_transaction_that_is_rolled_back_leaves_no_chain(rooms: VaultRooms) -> None:
    write_and_fail(rooms)

    assert chains(rooms) == 0
    write(rooms, 1)
    assert rooms.audit.verify().findings == []


def test_a_savepoint_that_is_rolled_back_takes_its_rows_with_it(rooms: VaultRooms) -> None:
    with rooms.database.transaction() as session:
        rooms.audit.record(session, entry("kept.1"))
        with suppress(ZeroDivisionError), session.begin_nested():
            rooms.audit.record(session, entry("lost"))
            raise ZeroDivisionError
        rooms.audit.record(session, entry("kept.2"))
    write(rooms, 1)

    assert [row.action for row in rows(rooms)] == ["kept.1", "kept.2", "card.stored"]
    assert rooms.audit.verify().findings == []


def test_without_its_row_the_act_does_not_happen(rooms: VaultRooms) -> None:
    with rooms.database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE acts (name TEXT)"))
        connection.execute(text("ALTER TABLE audit_rows RENAME TO gone"))
    with suppress(DatabaseError), rooms.database.transaction() as session:
        session.execute(text("INSERT INTO acts VALUES ('card shown')"))
        rooms.audit.record(session, entry())
    with rooms.database.engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM acts")).scalar_one() == 0
        connection.execute(text("ALTER TABLE gone RENAME TO audit_rows"))


def test_without_the_hmac_key_nothing_is_written(rooms: VaultRooms, tmp_path: Path) -> None:
    class Down:
        def encrypt(self, *_: object, **__: object) -> None:
            raise TransitUnavailable

        decrypt = encrypt

    audit = Audit(
        rooms.database,
        Down(),  # type: ignore[arg-type]
        heads_file=tmp_path / "heads",
        signing_key=rooms.signing_key,
        clock=rooms.clock,
    )
    with pytest.raises(TransitUnavailable):
        audit.prepare()
    with pytest.raises(TransitUnavailable), rooms.database.transaction() as session:
        audit.record(session, entry())
    assert rows(rooms) == []


def test_the_engine_itself_refuses_to_change_or_delete_a_row(rooms: VaultRooms) -> None:
    write(rooms, 1)

    for statement in ("UPDATE audit_rows SET actor = 'x'", "DELETE FROM audit_rows"):
        with pytest.raises(DatabaseError, match="never"), rooms.database.engine.begin() as connection:
            connection.execute(text(statement))


def test_nothing_that_looks_like_a_card_number_enters_the_trail(rooms: VaultRooms) -> None:
    with rooms.database.transaction() as session:
        rooms.audit.record(
            session,
            entry(reason="for 4111 1111 1111 1111 please", user_agent="UA 5555555555554444", ip="378282246310005"),
        )

    stored = json.dumps([str(tuple(row)) for row in rows(rooms)])
    assert not any(pan in stored for pan in ("4111 1111", "5555555555554444", "378282246310005"))
    assert rooms.audit.verify().findings == []


def test_texts_of_any_length_and_kind_are_taken(rooms: VaultRooms) -> None:
    with rooms.database.transaction() as session:
        rooms.audit.record(session, entry(reason="ü" * 5000, user_agent="\x00\n\u2028é" * 2000))

    assert rooms.audit.verify().findings == []
    assert len(rows(rooms)[0].reason) == 300


def test_concurrent_writers_take_chains_of_their_own_and_all_rows_arrive(rooms: VaultRooms) -> None:
    def writer(_: int) -> None:
        write(rooms, 25)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(writer, range(8)))

    report = rooms.audit.verify()
    assert (report.rows, report.findings) == (200, [])
    assert chains(rooms) <= 8


def test_two_processes_never_share_a_chain(rooms: VaultRooms) -> None:
    other = rooms.another_process()
    for _ in range(3):
        write(rooms, 1)
        write(rooms, 1, other)

    assert sorted(Counter(row.chain_id for row in rows(rooms)).values()) == [3, 3]


def test_a_process_that_ends_leaves_its_chain_to_the_next(rooms: VaultRooms) -> None:
    write(rooms, 2)
    rooms.audit.close()
    write(rooms, 2, rooms.another_process())

    assert [row.sequence for row in rows(rooms)] == [1, 2, 3, 4]
    assert rooms.audit.verify().findings == []


def test_a_crashed_writers_chain_is_taken_over_later_and_if_it_lives_on_nothing_forks(
    rooms: VaultRooms, clock: FakeClock
) -> None:
    write(rooms, 2)
    other = rooms.another_process()
    write(rooms, 1, other)
    assert chains(rooms) == 2
    clock.advance(timedelta(minutes=16))

    third = rooms.another_process()
    write(rooms, 2, third)
    assert chains(rooms) == 2
    for audit in (rooms.audit, other, third):
        write(rooms, 2, audit)

    report = rooms.audit.verify()
    assert (report.rows, report.findings) == (11, [])


def test_a_session_that_is_used_again_after_its_commit_takes_and_returns_a_chain_anew(rooms: VaultRooms) -> None:
    with Session(rooms.database.engine) as session:
        for _ in range(3):
            with session.begin():
                rooms.audit.record(session, entry())

    assert [row.sequence for row in rows(rooms)] == [1, 2, 3]
    assert rooms.audit.verify().findings == []


def test_the_export_holds_every_row_as_json(rooms: VaultRooms) -> None:
    write(rooms, 3)

    lines = [json.loads(line) for line in rooms.audit.export()]
    assert [line["sequence"] for line in lines] == [1, 2, 3]
    assert lines[0]["action"] == "card.stored"
    assert lines[1]["prev_mac"] == lines[0]["mac"]


def test_the_hmac_key_is_made_once_by_whoever_comes_first_and_stays_wrapped(rooms: VaultRooms) -> None:
    barrier, keys = threading.Barrier(4), []

    def prepare(_: int) -> None:
        barrier.wait()
        keys.append(rooms.another_process()._keys.current())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(prepare, range(4)))
    assert len(set(keys)) == 1
    with rooms.database.read() as session:
        (wrapped,) = session.execute(text("SELECT wrapped FROM audit_keys")).scalars()
    assert wrapped.startswith("vault:v1:")
