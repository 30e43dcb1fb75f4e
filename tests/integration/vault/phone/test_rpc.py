"""PhoneCapture over real TLS: who may call, what nonsense gets, and progress as it happens."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from chassis.errors import InvalidArgument, NotFound, PermissionDenied, Unauthenticated, WayvaultError
from chassis.rpc import Caller, make_server, open_channel
from protos.wayvault.phone.v1 import phone_pb2 as pb
from protos.wayvault.phone.v1 import phone_pb2_grpc
from services.vault.phone.authz import ALLOW
from services.vault.phone.capture.rpc import PhoneCaptureRpc, Readiness
from services.vault.phone.capture.vault_grpc import VaultWatch
from services.vault.phone.signal.telephone_events import SYMBOLS
from tests.proof.phone.world import World
from tests.support.clock import FakeClock
from tests.support.tls import Authority

pytestmark = pytest.mark.enable_socket
OPEN = pb.OpenSessionRequest(
    agency_id="agency",
    agent_id="maya",
    payment_id="payment",
    card_retention_days=30,
    cvv_retention_hours=72,
    field_seconds=45,
    idle_seconds=180,
    total_seconds=900,
)
_SDP = (
    "v=0\r\no={0} 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 101\r\n"
    "a=rtpmap:101 telephone-event/8000\r\n"
)


class Served:
    def __init__(self, folder: Path, max_workers: int = 16) -> None:
        self.world = World()
        self.authority = Authority.create(folder)
        readiness = Readiness(FakeClock(), lambda: None, lambda: None, lambda: len(self.world.masker.calls))
        self.silent: list[str] = []
        servicer = PhoneCaptureRpc(self.world.sessions, readiness, lambda: self.silent)
        services = [(phone_pb2_grpc.add_PhoneCaptureServicer_to_server, servicer)]
        tls = self.authority.issue("phone")
        self.server = make_server("127.0.0.1:0", tls, ALLOW, services, max_workers=max_workers)
        self.server.start()

    def channel(self, identity: str) -> grpc.Channel:
        address = f"127.0.0.1:{self.server.port}"
        return open_channel(address, self.authority.issue(identity), "phone.wayvault.internal")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    found = Served(tmp_path)
    yield found
    found.server.stop(grace=0)


@pytest.mark.parametrize("identity", ["portal", "operator", "frame", "notifier", "vault", "phone"])
def test_only_the_crm_may_call_the_masker(served: Served, identity: str) -> None:
    with served.channel(identity) as channel:
        stub, caller = phone_pb2_grpc.PhoneCaptureStub(channel), Caller(channel)
        calls = (
            lambda: caller.call(stub.OpenSession, OPEN),
            lambda: caller.call(stub.CaptureField, pb.CaptureFieldRequest()),
            lambda: caller.call(stub.FinishSession, pb.FinishSessionRequest()),
            lambda: caller.call(stub.GetReadiness, pb.GetReadinessRequest()),
            lambda: list(caller.stream(stub.WatchSession, pb.SessionRequest(), 2.0)),
        )
        for call in calls:
            with pytest.raises((PermissionDenied, Unauthenticated)):
                call()
    assert served.world.sessions.under_way == 0


def test_nonsense_is_refused_with_the_field_at_fault(served: Served) -> None:
    wrong = {"agent_id": "", "card_retention_days": 0, "cvv_retention_hours": 500, "field_seconds": 1, "desk": "x" * 99}
    with served.channel("crm") as channel:
        stub, caller = phone_pb2_grpc.PhoneCaptureStub(channel), Caller(channel)
        for name, value in wrong.items():
            request = pb.OpenSessionRequest()
            request.CopyFrom(OPEN)
            setattr(request, name, value)
            with pytest.raises(InvalidArgument) as refused:
                caller.call(stub.OpenSession, request)
            assert refused.value.field == name
        nobody = pb.SessionRequest(session_id="phone_none", agent_id="maya")
        for method in (stub.GiveUpField, stub.CancelSession):
            with pytest.raises(NotFound):
                caller.call(method, nobody)
        with pytest.raises(WayvaultError):
            caller.call(stub.CaptureField, pb.CaptureFieldRequest(session_id="phone_none", agent_id="maya"))


def test_progress_comes_at_each_key_and_ends_with_the_session(served: Served) -> None:
    world = served.world
    world.command("offer", call_id="c", from_tag="client", sdp=_SDP.format("a"), direction=[b"line", b"desk"])
    world.command("answer", call_id="c", from_tag="client", to_tag="agent", sdp=_SDP.format("b"))
    with served.channel("crm") as channel:
        stub, caller = phone_pb2_grpc.PhoneCaptureStub(channel), Caller(channel)
        opened = caller.call(stub.OpenSession, OPEN)
        whose = pb.SessionRequest(session_id=opened.session_id, agent_id="maya")
        watched = caller.stream(stub.WatchSession, whose, 20.0)
        assert next(watched).state == "waiting"
        world.settle()
        for symbol in f"*{opened.pin}#":
            world.masker.key_by_message("c", "agent", SYMBOLS.index(symbol))
        world.settle()
        assert next(watched).state == "tied"
        number = pb.CaptureFieldRequest(session_id=opened.session_id, agent_id="maya", field=pb.PHONE_FIELD_NUMBER)
        caller.call(stub.CaptureField, number)
        assert next(watched).open_field == pb.PHONE_FIELD_NUMBER
        world.settle()
        for symbol in "5555555555554444":
            world.masker.key_by_message("c", "client", SYMBOLS.index(symbol))
        served.silent.append("exchange")
        last = next(progress for progress in watched if progress.fields[0].taken and progress.silent)
        assert list(last.silent) == ["exchange"]
        assert (last.fields[0].digits, last.brand, last.last4) == (16, "mastercard", "")
        caller.call(stub.CancelSession, whose)
        assert list(watched)[-1].result == "cancelled"


def test_that_the_vault_is_gone_is_known_within_three_seconds_while_there_is_a_session(served: Served) -> None:
    # Any server that answers for its health stands in for the vault.
    sessions, looks, stop = [1], [], threading.Event()

    def under_way() -> int:
        looks.append(watch.answers)
        return len(sessions)

    tls = served.authority.issue("phone")
    watch = VaultWatch(f"127.0.0.1:{served.server.port}", tls, "phone.wayvault.internal", under_way)
    thread = threading.Thread(target=watch.run, args=(stop,))
    thread.start()
    try:
        while len(looks) < 3:
            threading.Event().wait(0.05)
        assert all(looks)
        served.server.stop(grace=0)
        gone = time.monotonic()
        while watch.answers:
            assert time.monotonic() - gone < 3
            threading.Event().wait(0.05)
        sessions.clear()
        while not watch.answers:
            assert time.monotonic() - gone < 10
            threading.Event().wait(0.05)
    finally:
        stop.set()
        thread.join(5)


def test_fifty_watched_sessions_are_told_at_once_that_the_masker_ends_and_keep_it_from_nothing(tmp_path: Path) -> None:
    served = Served(tmp_path, max_workers=60)
    sessions, stop = served.world.sessions, threading.Event()
    ending = threading.Thread(target=sessions.run, args=(stop,))
    ending.start()
    with served.channel("crm") as channel, ThreadPoolExecutor(50) as pool:
        stub, caller = phone_pb2_grpc.PhoneCaptureStub(channel), Caller(channel)

        def watched(_: int) -> str:
            opened = caller.call(stub.OpenSession, OPEN)
            whose = pb.SessionRequest(session_id=opened.session_id, agent_id="maya")
            stream = caller.stream(stub.WatchSession, whose, 60.0)
            next(stream)
            watching.release()
            try:
                return str(list(stream))
            except NotFound:
                return "gone"

        watching = threading.Semaphore(0)
        ends = [pool.submit(watched, number) for number in range(50)]
        for _ in ends:
            assert watching.acquire(timeout=30)
        pins = [session.pin for session in sessions._sessions.values()]
        began = time.monotonic()
        stop.set()
        served.server.stop(grace=10.0)
        assert time.monotonic() - began < 5
        assert {end.result() for end in ends} == {"gone"}
        assert pins == [b""] * 50
    ending.join()
    assert [act.reason for act in served.world.trail.acts if act.action == "phone.ended"] == ["stopped"] * 50
