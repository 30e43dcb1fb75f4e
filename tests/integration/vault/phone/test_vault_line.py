"""The masker's way to a real vault: a keyed card is stored as a browser's, acts reach the trail, silence is noticed."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import structlog
from structlog.testing import LogCapture

from chassis.clock import SystemClock
from chassis.rpc import RpcServer
from chassis.sealing import seal_to
from deploy.dev.engines.host import wait_until
from services.vault.audit.service import exported
from services.vault.phone.capture import vault_grpc
from services.vault.phone.capture.ports import Act, KeyedCard
from services.vault.phone.capture.rules import TimeLimits
from services.vault.phone.capture.sessions import Purpose
from services.vault.phone.capture.vault_grpc import VaultIntake, VaultTrail, VaultWatch
from services.vault.server import open_server
from tests.support.tls import Authority
from tests.support.vault_kit import AGENCY, AGENT, VISA, Kit, make_kit

pytestmark = pytest.mark.enable_socket
NAME = "vault.wayvault.internal"
PURPOSE = Purpose(
    agency_id=AGENCY,
    agent_id=AGENT,
    payment_id="payment_by_phone",
    desk="",
    card_days=30,
    cvv_hours=72,
    limits=TimeLimits(),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A vault that answers, and the masker's certificate."""

    kit: Kit
    server: RpcServer
    authority: Authority

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.port}"


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    # The system's clock: certificates and calls have theirs.
    kit = make_kit(tmp_path, clock=SystemClock())
    kit.vault.core.audit.prepare()
    authority = Authority.create(tmp_path / "certs")
    server = open_server(kit.vault, "127.0.0.1:0", authority.issue("vault"), workers=4)
    server.start()
    yield Line(kit, server, authority)
    server.stop(grace=0)
    kit.vault.close()


def keyed() -> KeyedCard:
    return KeyedCard(
        session_id="session_1",
        attempt=1,
        number=bytearray(VISA.encode()),
        expiry=bytearray(b"1231"),
        cvv=bytearray(b"123"),
        name="Eleanor Whitcombe",
    )


def test_a_keyed_card_is_stored_as_one_from_a_browser(line: Line) -> None:
    intake = VaultIntake(line.address, line.authority.issue("phone"), NAME)
    try:
        stored = intake.store(keyed(), PURPOSE)
    finally:
        intake.close()
    assert (stored.brand, stored.last4, stored.name) == ("visa", VISA[-4:], "Eleanor Whitcombe")
    assert stored.cvv_kept_until is not None
    assert stored.cvv_kept_until < stored.kept_until
    assert "card.stored" in line.kit.history(stored.token)


def test_what_is_sealed_is_overwritten_and_number_and_code_never_become_a_text(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed: list[tuple[bytearray, bytes]] = []

    def watched(jwk: object, payload: bytearray, typ: str) -> str:
        sealed.append((payload, bytes(payload)))
        return seal_to(jwk, payload, typ)  # type: ignore[arg-type]

    monkeypatch.setattr(vault_grpc, "seal_to", watched)
    intake = VaultIntake(line.address, line.authority.issue("phone"), NAME)
    try:
        intake.store(replace(keyed(), name='A "quoted" name'), PURPOSE)
    finally:
        intake.close()
    ((memory, was),) = sealed
    assert (bytes(memory), json.loads(was)["pan"], json.loads(was)["name"]) == (b"", VISA, 'A "quoted" name')


def test_where_the_policy_keeps_no_code_none_is_kept(line: Line) -> None:
    intake = VaultIntake(line.address, line.authority.issue("phone"), NAME)
    try:
        stored = intake.store(keyed(), replace(PURPOSE, cvv_hours=0))
    finally:
        intake.close()
    assert stored.cvv_kept_until is None
    assert line.kit.ciphers(stored.token)[1] is None


def test_acts_reach_the_trail_in_their_order_and_none_waits_when_it_ends(line: Line) -> None:
    trail = VaultTrail(line.address, line.authority.issue("phone"), NAME)
    for action in ("phone.opened", "phone.ended"):
        trail.record(Act(action=action, session_id="session_1", agency_id=AGENCY, agent_id=AGENT))
    stop = threading.Event()
    stop.set()
    trail.run(stop)
    recorded = [line_ for line_ in trail_lines(line) if '"phone.' in line_]
    assert ["phone.opened" in recorded[0], "phone.ended" in recorded[1]] == [True, True]


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> LogCapture:
    """What the line logs, also where an earlier test configured logging: a logger keeps what it was first used with."""
    capture = LogCapture()
    monkeypatch.setattr(vault_grpc, "_log", structlog.wrap_logger(None, processors=[capture]))
    return capture


def lost(logged: LogCapture) -> list[tuple[str, str]]:
    """The acts that were logged as lost, with the reason."""
    return [(entry["action"], entry["why"]) for entry in logged.entries if entry["event"] == "phone.act_lost"]


def trail_lines(line: Line) -> list[str]:
    with line.kit.vault.core.database.read() as session:
        return list(exported(session, ocsf=False))


def test_what_the_vault_never_took_is_logged_as_lost(
    line: Line, logged: LogCapture, monkeypatch: pytest.MonkeyPatch
) -> None:
    line.server.stop(grace=0)
    monkeypatch.setattr(vault_grpc, "_PAUSE_SECONDS", 0.01)
    trail = VaultTrail(line.address, line.authority.issue("phone"), NAME)
    trail.record(Act(action="phone.opened"))
    stop = threading.Event()
    stop.set()
    trail.run(stop)
    assert lost(logged) == [("phone.opened", "the masker ends")]


def test_an_act_that_the_vault_refuses_for_good_is_lost_and_holds_up_no_other(line: Line, logged: LogCapture) -> None:
    trail = VaultTrail(line.address, line.authority.issue("phone"), NAME)
    for action in ("phone.nothing", "phone.ended"):
        trail.record(Act(action=action, session_id="session_1", agency_id=AGENCY, agent_id=AGENT))
    stop = threading.Event()
    telling = threading.Thread(target=trail.run, args=(stop,))
    telling.start()
    try:
        wait_until(lambda: any('"phone.ended' in each for each in trail_lines(line)), what="the next act", seconds=20)
    finally:
        stop.set()
        telling.join()
    assert lost(logged) == [("phone.nothing", "InvalidArgument")]


def test_more_acts_than_memory_holds_are_logged_as_lost(
    line: Line, logged: LogCapture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vault_grpc, "_MOST_ACTS", 1)
    trail = VaultTrail(line.address, line.authority.issue("phone"), NAME)
    trail.record(Act(action="phone.opened"))
    trail.record(Act(action="phone.ended"))
    assert lost(logged) == [("phone.ended", "too many wait")]


def test_silence_is_noticed_while_there_is_a_session_only(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault_grpc, "_LOOK_SECONDS", 0.01)
    under_way = 0
    watch = VaultWatch(line.address, line.authority.issue("phone"), NAME, lambda: under_way)
    stop = threading.Event()
    looking = threading.Thread(target=watch.run, args=(stop,))
    looking.start()
    try:
        under_way = 1
        line.server.stop(grace=0)
        wait_until(lambda: not watch.answers, what="the watch to notice", seconds=20)
        under_way = 0
        wait_until(lambda: watch.answers, what="the watch to rest", seconds=20)
    finally:
        stop.set()
        looking.join()
