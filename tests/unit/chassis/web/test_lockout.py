"""Strangers' failures bound their guessing and keep nobody out of a browser that signed in before."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

from chassis.db import Database, open_database
from chassis.web.lockout import (
    FAILURES_ALLOWED,
    FAILURES_PER_ADDRESS,
    LOCKED_FOR,
    PAIR_RESTS_FOR,
    AttemptColumns,
    Lockout,
    Visitor,
)
from tests.support.clock import FakeClock
from tests.support.thorough import examples

HOME = Visitor(address="203.0.113.7", device="dev_1")
FAR = Visitor(address="198.51.100.9")


class _Base(DeclarativeBase):
    metadata = MetaData()


class _Row(AttemptColumns, _Base):
    __tablename__ = "attempts"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path}/attempts.db", name="attempts")
    _Base.metadata.create_all(opened.engine)
    yield opened
    opened.dispose()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def lockout(clock: FakeClock) -> Lockout:
    return Lockout(_Row.__table__, clock)  # type: ignore[arg-type]


def fail(database: Database, lockout: Lockout, visitor: Visitor, times: int, name: str = "maya") -> list[bool]:
    """Which of so many wrong tries were judged."""
    with database.transaction() as session:
        return [bool(lockout.count(session, name, visitor)) for _ in range(times)]


def test_strangers_lock_the_account_for_strangers_and_not_for_a_device_that_signed_in_before(
    database: Database, lockout: Lockout
) -> None:
    assert fail(database, lockout, FAR, FAILURES_ALLOWED + 2) == [True] * FAILURES_ALLOWED + [False] * 2
    assert fail(database, lockout, Visitor(address="192.0.2.1"), 1) == [False]
    assert fail(database, lockout, HOME, 1) == [True]


def test_a_known_device_is_bounded_by_itself_and_a_right_password_there_gives_strangers_nothing(
    database: Database, lockout: Lockout
) -> None:
    fail(database, lockout, FAR, FAILURES_ALLOWED)
    fail(database, lockout, HOME, FAILURES_ALLOWED - 1)
    with database.transaction() as session:
        lockout.clear(session, "maya", HOME)
    assert fail(database, lockout, HOME, FAILURES_ALLOWED + 1) == [True] * FAILURES_ALLOWED + [False]
    assert fail(database, lockout, FAR, 1) == [False]


def test_one_address_can_not_have_an_account_rest_again_and_again(
    database: Database, lockout: Lockout, clock: FakeClock
) -> None:
    for _ in range(2):
        fail(database, lockout, FAR, FAILURES_ALLOWED)
        clock.advance(LOCKED_FOR)
    assert fail(database, lockout, FAR, 3) == [False] * 3
    elsewhere = Visitor(address="192.0.2.1")
    assert fail(database, lockout, elsewhere, 1) == [True]
    clock.advance(PAIR_RESTS_FOR)
    assert fail(database, lockout, FAR, 1) == [True]


def test_who_tries_many_accounts_rests_with_all_of_them(database: Database, lockout: Lockout) -> None:
    judged = [fail(database, lockout, FAR, 1, f"client {number}")[0] for number in range(FAILURES_PER_ADDRESS + 5)]
    assert judged == [True] * FAILURES_PER_ADDRESS + [False] * 5
    neighbour = Visitor(address="2001:db8:1:2::1")
    fail(database, lockout, neighbour, FAILURES_ALLOWED, "ann")
    assert fail(database, lockout, Visitor(address="2001:db8:1:3::1"), 1, "bob") == [True]


def test_the_owner_is_to_be_told_once_per_lock(database: Database, lockout: Lockout, clock: FakeClock) -> None:
    told = 0
    with database.transaction() as session:
        for number in range(3 * FAILURES_ALLOWED):
            told += lockout.count(session, "maya", Visitor(address=f"192.0.2.{number}")).locks_account
        assert told == 1
        clock.advance(LOCKED_FOR)
        for number in range(3 * FAILURES_ALLOWED):
            told += lockout.count(session, "maya", Visitor(address=f"192.0.2.{number}")).locks_account
    assert told == 2


@settings(max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tries=st.lists(
        st.tuples(st.sampled_from(["", "203.0.113.1", "203.0.113.2", "2001:db8::1", "nonsense"]), st.integers(0, 9)),
        min_size=1,
        max_size=40,
    )
)
def test_however_tries_are_spread_strangers_get_ten_in_half_an_hour(
    database: Database, tries: list[tuple[str, int]]
) -> None:
    clock = FakeClock()
    lockout = Lockout(_Row.__table__, clock)  # type: ignore[arg-type]
    judged = []
    with database.transaction() as session:
        for address, minutes in tries:
            clock.advance(timedelta(minutes=minutes))
            if lockout.count(session, "maya", Visitor(address=address)):
                judged.append(clock.now())
        session.rollback()
    for moment in judged:
        assert sum(moment - LOCKED_FOR < other <= moment for other in judged) <= FAILURES_ALLOWED
