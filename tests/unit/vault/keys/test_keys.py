"""Key management: nothing live is ever lost, and what is destroyed stays destroyed, also in a backup."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from chassis.sealing import seal_to
from services.vault.audit.models import AuditRow
from services.vault.audit.service import wrapped_column as audit_column
from services.vault.custody.models import CardRow
from services.vault.custody.service import card_context, wrapped_columns
from services.vault.keys.rules import IN_FLIGHT, oldest_needed
from services.vault.keys.service import KeyService, Progress
from services.vault.sealing_keys.service import Lifetime, SealingKeys
from services.vault.sealing_keys.service import wrapped_column as sealing_column
from services.vault.transit.service import (
    Cipher,
    CipherRefused,
    KeyInfo,
    KeyName,
    Transit,
    TransitUnavailable,
)
from tests.support.clock import FakeClock
from tests.support.vault import VaultRooms

AGENCY = "agency_1"


class Pauses:
    """Turns the clock instead of waiting, and remembers; may do something meanwhile."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.waited: list[float] = []
        self.meanwhile: list[Any] = []

    def __call__(self, seconds: float) -> None:
        self.waited.append(seconds)
        for act in self.meanwhile:
            act()
        self.clock.advance(timedelta(seconds=seconds))


@pytest.fixture
def pauses(clock: FakeClock) -> Pauses:
    return Pauses(clock)


@pytest.fixture
def keys(rooms: VaultRooms, pauses: Pauses) -> KeyService:
    return service(rooms, rooms.transit, pauses)


def service(rooms: VaultRooms, transit: Transit, pauses: Pauses) -> KeyService:
    return KeyService(
        rooms.database,
        transit,
        audit=rooms.audit,
        clock=rooms.clock,
        columns=[*wrapped_columns(), sealing_column(), audit_column()],
        pause=pauses,
    )


def store(rooms: VaultRooms, count: int, *, first: int = 0, cvv: bool = True) -> None:
    """Cards as intake stores them."""
    with rooms.database.transaction() as session:
        for number in range(first, first + count):
            insert_card(session, rooms, number, encrypt(rooms, KeyName.CARD, number), cvv=cvv)


def encrypt(rooms: VaultRooms, key: KeyName, number: int) -> Cipher:
    token = f"card_{number:05}"
    return rooms.transit.intake.encrypt(key, b"%s %d" % (key.encode(), number), card_context(key, token, AGENCY))


def insert_card(session: Session, rooms: VaultRooms, number: int, cipher: Cipher, *, cvv: bool) -> None:
    now = rooms.clock.now()
    cvv_cipher = encrypt(rooms, KeyName.CVV, number) if cvv else None
    session.execute(
        insert(CardRow),
        {
            "token": f"card_{number:05}",
            "agency_id": AGENCY,
            "payment_id": f"payment_{number}",
            "owner_agent_id": "agent_1",
            "state": "stored",
            "brand": "visa",
            "last4": "1111",
            "cipher": cipher.text,
            "key_version": cipher.version,
            "cvv_state": "held" if cvv_cipher else "none",
            "cvv_cipher": cvv_cipher.text if cvv_cipher else None,
            "cvv_key_version": cvv_cipher.version if cvv_cipher else None,
            "stored_at": now,
            "kept_until": now + timedelta(days=30),
            "cvv_kept_until": now + timedelta(hours=72) if cvv_cipher else None,
        },
    )


def all_open(rooms: VaultRooms) -> int:
    """How many card and CVV ciphertexts open, each to what was stored; raises when one doesn't."""
    opened = 0
    with rooms.database.read() as session:
        rows = session.execute(select(CardRow.token, CardRow.cipher, CardRow.cvv_cipher)).all()
    for token, cipher, cvv in rows:
        for key, text in ((KeyName.CARD, cipher), (KeyName.CVV, cvv)):
            if text is not None:
                plain = rooms.transit.reveal.decrypt(key, Cipher(text), card_context(key, token, AGENCY))
                assert plain == b"%s %d" % (key.encode(), int(token[5:]))
                opened += 1
    return opened


def rotate(rooms: VaultRooms, keys: KeyService, *names: KeyName) -> Sequence[KeyInfo]:
    return keys.rotate(names, actor="operator")


def actions(rooms: VaultRooms) -> list[tuple[str, str, str]]:
    with rooms.database.read() as session:
        rows = session.execute(
            select(AuditRow.action, AuditRow.resource, AuditRow.actor).order_by(AuditRow.at, AuditRow.sequence)
        )
        return [(row[0], row[1], row[2]) for row in rows]


def test_a_rewrap_goes_in_batches_of_200_with_progress_and_everything_opens_afterwards(
    rooms: VaultRooms, keys: KeyService
) -> None:
    store(rooms, 450, cvv=False)
    rotate(rooms, keys, KeyName.CARD)

    progress = list(keys.rewrap(trim=False, actor="operator"))

    assert [step.done for step in progress] == [200, 400, 450, 450]
    assert {step.total for step in progress} == {450}
    assert [step.finished for step in progress] == [False, False, False, True]
    assert progress[-1].card_key.min_decryption_version == 2
    assert progress[-1].card_key.oldest_version == 1
    assert all_open(rooms) == 450


def test_after_rewrap_and_trim_yesterdays_backup_opens_no_card_and_no_cvv(rooms: VaultRooms, keys: KeyService) -> None:
    store(rooms, 20)
    with rooms.database.read() as session:
        backup = session.execute(select(CardRow.token, CardRow.cipher, CardRow.cvv_cipher)).all()
    rotate(rooms, keys, *KeyName)

    list(keys.rewrap(trim=True, actor="operator"))

    assert all_open(rooms) == 40
    for token, cipher, cvv in backup:
        for key, text in ((KeyName.CARD, cipher), (KeyName.CVV, cvv)):
            assert text is not None
            with pytest.raises(CipherRefused):
                rooms.transit.reveal.decrypt(key, Cipher(text), card_context(key, token, AGENCY))
    assert {info.oldest_version for info in keys.infos()} == {2}


def test_a_card_that_was_on_its_way_when_the_key_was_rotated_is_not_lost(
    rooms: VaultRooms, keys: KeyService, pauses: Pauses
) -> None:
    """Encrypted before the rotation, committed while the rewrap waits."""
    store(rooms, 3)
    on_its_way = encrypt(rooms, KeyName.CARD, 99)
    rotate(rooms, keys, KeyName.CARD)

    def commit() -> None:
        with rooms.database.transaction() as session:
            insert_card(session, rooms, 99, on_its_way, cvv=False)

    pauses.meanwhile.append(commit)
    list(keys.rewrap(trim=True, actor="operator"))

    assert pauses.waited == [IN_FLIGHT.total_seconds()]
    assert all_open(rooms) == 7


def test_a_rewrap_that_is_stopped_waiting_destroys_nothing_that_may_be_needed(
    rooms: VaultRooms, keys: KeyService, pauses: Pauses
) -> None:
    """The process is told to stop: the pause ends at once."""
    store(rooms, 3)
    on_its_way = encrypt(rooms, KeyName.CARD, 99)
    rotate(rooms, keys, KeyName.CARD)
    stopped = service(rooms, rooms.transit, cast("Pauses", lambda _seconds: None))

    list(stopped.rewrap(trim=True, actor="operator"))
    with rooms.database.transaction() as session:
        insert_card(session, rooms, 99, on_its_way, cvv=False)

    assert all_open(rooms) == 7


def test_a_rewrap_long_after_the_rotation_does_not_wait(
    rooms: VaultRooms, keys: KeyService, pauses: Pauses, clock: FakeClock
) -> None:
    store(rooms, 1)
    rotate(rooms, keys, *KeyName)
    clock.advance(IN_FLIGHT)

    list(keys.rewrap(trim=True, actor="operator"))

    assert pauses.waited == []


def test_a_card_removed_or_replaced_during_a_rewrap_is_left_alone(rooms: VaultRooms, keys: KeyService) -> None:
    store(rooms, 2)
    rotate(rooms, keys, KeyName.CARD)
    column = wrapped_columns()[0]
    with rooms.database.read() as session:
        first, second = column.outdated(session, below=2, after="", limit=10)
    with rooms.database.transaction() as session:
        session.execute(
            update(CardRow)
            .where(CardRow.token == first.row_id)
            .values(state="removed", cipher=None, key_version=None, cvv_state="purged", cvv_cipher=None)
        )

    with rooms.database.transaction() as session:
        assert not column.replace(session, first, Cipher("vault:v2:AAAA"))
        assert column.replace(session, second, second.cipher)


def test_a_ciphertext_that_does_not_open_stops_neither_the_rewrap_nor_anothers(
    rooms: VaultRooms, keys: KeyService
) -> None:
    store(rooms, 3)
    with rooms.database.transaction() as session:
        session.execute(update(CardRow).where(CardRow.token == "card_00001").values(cipher="vault:v1:" + "A" * 40))
    rotate(rooms, keys, KeyName.CARD)

    progress = list(keys.rewrap(trim=True, actor="operator"))

    assert progress[-1].done == 2
    # What can't be rewrapped keeps its version from being destroyed: an operator has to look.
    assert progress[-1].card_key.oldest_version == 1


def test_a_rewrap_can_be_run_again_after_transit_failed_in_the_middle(rooms: VaultRooms, pauses: Pauses) -> None:
    class Flaky:
        calls = 0

        def __getattr__(self, name: str) -> Any:
            return getattr(rooms.transit.rotation, name)

        def rewrap(self, *args: Any, **kwargs: Any) -> Any:
            Flaky.calls += 1
            if Flaky.calls == 2:
                raise TransitUnavailable
            return rooms.transit.rotation.rewrap(*args, **kwargs)

    flaky = Transit(
        intake=rooms.transit.intake,
        reveal=rooms.transit.reveal,
        rotation=cast("Any", Flaky()),
        sealing=rooms.transit.sealing,
        health=rooms.transit.health,
        rotates_by_itself=False,
    )
    keys = service(rooms, flaky, pauses)
    store(rooms, 450, cvv=False)
    rotate(rooms, keys, KeyName.CARD)

    with pytest.raises(TransitUnavailable):
        list(keys.rewrap(trim=True, actor="operator"))
    assert all_open(rooms) == 450
    progress: list[Progress] = list(keys.rewrap(trim=True, actor="operator"))

    assert progress[-1].done == 250
    assert progress[-1].card_key.oldest_version == 2
    assert all_open(rooms) == 450


def test_the_vaults_own_wrapped_keys_survive_a_rotation_of_the_sealing_key(rooms: VaultRooms, keys: KeyService) -> None:
    sealing = sealing_keys(rooms)
    text = _sealed(sealing)
    keys.rotate([KeyName.SEALING], actor="operator")

    list(keys.rewrap(trim=True, actor="operator"))

    assert sealing_keys(rooms).open(text, "wv-store+jwe") == b"x"
    assert rooms.another_process().verify().findings == []


def test_the_worker_rotates_the_cvv_key_hourly_and_only_when_it_is_due(
    rooms: VaultRooms, keys: KeyService, clock: FakeClock
) -> None:
    for minutes, version in ((59, 1), (1, 2), (0, 2), (59, 2), (1, 3)):
        clock.advance(timedelta(minutes=minutes))
        keys.tend()
        assert rooms.transit.rotation.info(KeyName.CVV).latest_version == version


def test_an_engine_that_rotates_by_itself_is_not_rotated(rooms: VaultRooms, pauses: Pauses, clock: FakeClock) -> None:
    by_itself = Transit(
        intake=rooms.transit.intake,
        reveal=rooms.transit.reveal,
        rotation=rooms.transit.rotation,
        sealing=rooms.transit.sealing,
        health=rooms.transit.health,
        rotates_by_itself=True,
    )
    clock.advance(timedelta(hours=5))

    service(rooms, by_itself, pauses).tend()

    assert rooms.transit.rotation.info(KeyName.CVV).latest_version == 1


def test_the_worker_destroys_cvv_versions_no_kept_cvv_needs_and_no_other(
    rooms: VaultRooms, keys: KeyService, clock: FakeClock
) -> None:
    def tick() -> int:
        clock.advance(timedelta(hours=1))
        keys.tend()
        clock.advance(IN_FLIGHT)
        keys.tend()
        return rooms.transit.rotation.info(KeyName.CVV).oldest_version

    store(rooms, 1)
    assert [tick(), tick()] == [1, 1]
    store(rooms, 1, first=1)
    assert tick() == 1
    assert all_open(rooms) == 4

    _shown(rooms, "card_00000")
    assert tick() == 3
    assert all_open(rooms) == 3
    _shown(rooms, "card_00001")
    assert tick() == 6


def test_a_cvv_in_a_backup_does_not_open_once_it_was_shown_and_an_hour_has_passed(
    rooms: VaultRooms, keys: KeyService, clock: FakeClock
) -> None:
    store(rooms, 1)
    backup = encrypt(rooms, KeyName.CVV, 0)
    _shown(rooms, "card_00000")
    clock.advance(timedelta(hours=1))
    keys.tend()
    clock.advance(IN_FLIGHT)
    keys.tend()

    with pytest.raises(CipherRefused):
        rooms.transit.reveal.decrypt(KeyName.CVV, backup, card_context(KeyName.CVV, "card_00000", AGENCY))


def test_every_key_operation_is_audited_and_none_happens_without(rooms: VaultRooms, keys: KeyService) -> None:
    store(rooms, 1)
    rotate(rooms, keys, KeyName.CARD)
    list(keys.rewrap(trim=True, actor="operator"))

    assert actions(rooms) == [
        ("key.rotation_begun", "card", "operator"),
        ("key.rotated", "card", "operator"),
        ("keys.rewrap_begun", "all", "operator"),
        ("key.trim_begun", "card", "operator"),
        ("key.trimmed", "card", "operator"),
        ("keys.rewrapped", "all", "operator"),
    ]
    with rooms.database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE audit_rows RENAME TO gone")
    with pytest.raises(Exception, match="audit_rows"):
        rotate(rooms, keys, KeyName.CARD)
    assert rooms.transit.rotation.info(KeyName.CARD).latest_version == 2
    with rooms.database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE gone RENAME TO audit_rows")


def test_what_the_database_loses_after_versions_were_destroyed_is_still_in_the_trail(
    rooms: VaultRooms, pauses: Pauses
) -> None:
    """The commit after the act fails: the intent, committed before it, says what was under way."""

    class LosesItsDatabase:
        def __getattr__(self, name: str) -> Any:
            return getattr(rooms.transit.rotation, name)

        def trim(self, key: KeyName, floor: int) -> None:
            rooms.transit.rotation.trim(key, floor)
            with rooms.database.engine.begin() as connection:
                connection.exec_driver_sql("ALTER TABLE audit_rows RENAME TO gone")

    keys = service(rooms, _with_rotation(rooms, LosesItsDatabase()), pauses)
    store(rooms, 1)
    rotate(rooms, keys, KeyName.CARD)

    with pytest.raises(Exception, match="audit_rows"):
        list(keys.rewrap(trim=True, actor="operator"))
    with rooms.database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE gone RENAME TO audit_rows")

    assert rooms.transit.rotation.info(KeyName.CARD).oldest_version == 2
    assert actions(rooms)[-1] == ("key.trim_begun", "card", "operator")
    assert all_open(rooms) == 2


def test_an_act_that_the_engine_refuses_is_in_the_trail_as_failed(rooms: VaultRooms, pauses: Pauses) -> None:
    class Sealed:
        def __getattr__(self, name: str) -> Any:
            return getattr(rooms.transit.rotation, name)

        def rotate(self, key: KeyName) -> KeyInfo:
            raise TransitUnavailable

    keys = service(rooms, _with_rotation(rooms, Sealed()), pauses)

    with pytest.raises(TransitUnavailable):
        rotate(rooms, keys, KeyName.CVV)

    assert [action for action, _, _ in actions(rooms)] == ["key.rotation_begun", "key.rotation_failed"]


def _with_rotation(rooms: VaultRooms, rotation: object) -> Transit:
    return Transit(
        intake=rooms.transit.intake,
        reveal=rooms.transit.reveal,
        rotation=cast("Any", rotation),
        sealing=rooms.transit.sealing,
        health=rooms.transit.health,
        rotates_by_itself=False,
    )


def test_a_key_without_a_column_is_refused_at_the_start(rooms: VaultRooms, pauses: Pauses) -> None:
    with pytest.raises(ValueError, match="sealing"):
        KeyService(
            rooms.database,
            rooms.transit,
            audit=rooms.audit,
            clock=rooms.clock,
            columns=wrapped_columns(),
            pause=pauses,
        )


@given(
    ages=st.lists(st.integers(0, 200), min_size=1, max_size=6),
    in_use=st.lists(st.integers(1, 6), max_size=4),
    trimmed=st.integers(1, 6),
)
def test_no_version_in_use_or_in_flight_is_ever_given_up(ages: list[int], in_use: list[int], trimmed: int) -> None:
    now = FakeClock().now()
    made = sorted(now - timedelta(seconds=age) for age in ages)
    lowest = min(trimmed, len(made))
    versions = {number: moment for number, moment in enumerate(made, start=1) if number >= lowest}
    info = KeyInfo(key=KeyName.CVV, versions=versions, min_decryption_version=lowest, oldest_version=lowest)

    floor = oldest_needed(info, in_use, now)

    assert lowest <= floor <= info.latest_version
    assert all(floor <= version for version in in_use if version >= lowest and version in versions)
    for version in versions:
        newest_until = versions.get(version + 1, now)
        if newest_until > now - IN_FLIGHT:
            assert floor <= version


def sealing_keys(rooms: VaultRooms) -> SealingKeys:
    lifetime = Lifetime(ttl=timedelta(days=1), grace=timedelta(hours=2))
    return SealingKeys(rooms.database, rooms.transit.sealing, audit=rooms.audit, clock=rooms.clock, lifetime=lifetime)


def _sealed(keys: SealingKeys) -> str:
    return seal_to(keys.current().public_jwk, b"x", "wv-store+jwe")


def _shown(rooms: VaultRooms, token: str) -> None:
    with rooms.database.transaction() as session:
        session.execute(
            update(CardRow)
            .where(CardRow.token == token)
            .values(cvv_state="shown", cvv_cipher=None, cvv_key_version=None)
        )
