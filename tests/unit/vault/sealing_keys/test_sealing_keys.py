"""Sealing keys: served a day, open two hours more, then gone; any process opens what another's page sealed."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from chassis.errors import SealBroken
from chassis.sealing import seal_to
from services.vault.sealing_keys.models import SealingKeyRow
from services.vault.sealing_keys.service import Lifetime, SealingKeys
from tests.support.clock import FakeClock
from tests.support.vault import VaultRooms

DAY, GRACE = timedelta(days=1), timedelta(hours=2)
TYP = "wv-store+jwe"


def process(rooms: VaultRooms) -> SealingKeys:
    return SealingKeys(
        rooms.database,
        rooms.transit.sealing,
        audit=rooms.audit,
        clock=rooms.clock,
        lifetime=Lifetime(ttl=DAY, grace=GRACE),
    )


@pytest.fixture
def keys(rooms: VaultRooms) -> SealingKeys:
    return process(rooms)


def seal(keys: SealingKeys, payload: bytes = b"card") -> str:
    return seal_to(keys.current().public_jwk, payload, TYP)


def test_the_key_served_is_public_only_and_named(keys: SealingKeys) -> None:
    served = keys.current()

    jwk = json.loads(served.public_jwk)
    assert set(jwk) == {"kty", "crv", "x", "y", "kid"}
    assert jwk["kid"] == served.kid
    assert served.opens_until - served.served_until == GRACE


def test_what_a_page_sealed_opens_in_any_process(rooms: VaultRooms, keys: SealingKeys) -> None:
    text = seal(keys)

    assert keys.open(text, TYP) == b"card"
    assert process(rooms).open(text, TYP) == b"card"


def test_all_processes_serve_the_same_key(rooms: VaultRooms, keys: SealingKeys) -> None:
    assert process(rooms).current().kid == keys.current().kid


def test_a_day_later_another_key_is_served_and_the_old_one_still_opens_for_its_grace(
    keys: SealingKeys, clock: FakeClock
) -> None:
    old, first = seal(keys), keys.current().kid
    clock.advance(DAY)

    assert keys.current().kid != first
    assert keys.open(old, TYP) == b"card"

    clock.advance(GRACE - timedelta(seconds=1))
    assert keys.open(old, TYP) == b"card"
    clock.advance(timedelta(seconds=1))
    with pytest.raises(SealBroken):
        keys.open(old, TYP)


def test_the_worker_makes_the_next_key_before_the_present_one_ends(keys: SealingKeys, clock: FakeClock) -> None:
    assert keys.rotate() is not None
    assert keys.rotate() is None
    first = keys.current().kid
    clock.advance(DAY - timedelta(minutes=10))

    made = keys.rotate()

    assert made is not None
    assert made.kid != first
    assert keys.current().kid == made.kid
    assert keys.rotate() is None


def test_a_private_key_past_its_time_is_destroyed_everywhere(
    rooms: VaultRooms, keys: SealingKeys, clock: FakeClock
) -> None:
    old = seal(keys)
    other = process(rooms)
    assert other.open(old, TYP) == b"card"
    assert keys.destroy_expired() == 0
    clock.advance(DAY + GRACE)

    assert keys.destroy_expired() == 1
    assert keys.destroy_expired() == 0
    with rooms.database.read() as session:
        row = session.execute(select(SealingKeyRow.wrapped, SealingKeyRow.destroyed_at)).one()
    assert tuple(row) == (None, clock.now())
    for each in (keys, other, process(rooms)):
        with pytest.raises(SealBroken):
            each.open(old, TYP)
    assert other._unwrapped == {}


def test_in_the_database_the_private_key_is_wrapped(rooms: VaultRooms, keys: SealingKeys) -> None:
    keys.current()

    with rooms.database.read() as session:
        stored = [str(value) for value in session.execute(text("SELECT * FROM sealing_keys")).one()]
    assert any(value.startswith("vault:v1:") for value in stored)
    assert not any('"d"' in value for value in stored)


def test_a_new_key_asked_for_by_the_operator_is_served_at_once(keys: SealingKeys) -> None:
    old = seal(keys)

    replaced = keys.replace()

    assert keys.current().kid == replaced.kid
    assert keys.open(old, TYP) == b"card"


def test_what_does_not_open_is_broken_and_never_a_crash(keys: SealingKeys) -> None:
    good = seal(keys)
    other = seal_to({**json.loads(keys.current().public_jwk), "kid": "seal_unknown"}, b"x", TYP)
    unnamed = seal_to({k: v for k, v in json.loads(keys.current().public_jwk).items() if k != "kid"}, b"x", TYP)
    for broken, typ in (
        ("", TYP),
        ("a.b.c.d.e", TYP),
        (good[:-2], TYP),
        (good, "wv-reveal+jwe"),
        (other, TYP),
        (unnamed, TYP),
    ):
        with pytest.raises(SealBroken):
            keys.open(broken, typ)


def test_many_threads_that_ask_first_get_one_key(keys: SealingKeys) -> None:
    with ThreadPoolExecutor(8) as pool:
        kids = set(pool.map(lambda _: keys.current().kid, range(8)))

    assert len(kids) == 1


def test_making_and_destroying_are_audited(rooms: VaultRooms, keys: SealingKeys, clock: FakeClock) -> None:
    kid = keys.current().kid
    clock.advance(DAY + GRACE)
    keys.destroy_expired()

    entries = [json.loads(line) for line in rooms.audit.export()]
    assert [(entry["action"], entry["resource"]) for entry in entries] == [
        ("sealing_key.made", kid),
        ("sealing_key.destroyed", kid),
    ]
