"""The gate of every gRPC server: who gets in, what a refusal looks like on the other side."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from chassis import errors
from chassis.rpc import (
    ANYONE,
    AllowList,
    AllowListError,
    Caller,
    RpcServer,
    current_call,
    make_server,
    open_channel,
)
from chassis.rpc.authz import identity_of
from chassis.rpc.errors import TRAILER, from_rpc_error, trailers_of
from chassis.rpc.server import HEALTH_ENTRIES
from protos.wayvault.vault.v1 import vault_pb2 as pb
from protos.wayvault.vault.v1 import vault_pb2_grpc as rpc
from tests.support.tls import Authority

METHOD = "/wayvault.vault.v1.CardFrame/GetSealingKey"
SERVER_NAME = "vault.wayvault.internal"

pytestmark = pytest.mark.enable_socket


class Frame(rpc.CardFrameServicer):
    """Does what the test tells it."""

    def __init__(self) -> None:
        self.raises: Exception | None = None
        self.callers: list[str] = []

    def GetSealingKey(self, request: pb.GetSealingKeyRequest, context: Any) -> pb.GetSealingKeyResponse:
        self.callers.append(current_call().caller)
        if self.raises is not None:
            raise self.raises
        return pb.GetSealingKeyResponse(kid="k1")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def frame() -> Frame:
    return Frame()


@pytest.fixture(autouse=True)
def well_behaved(frame: Frame) -> None:
    frame.raises = None
    frame.callers.clear()


def build(authority: Authority, frame: Frame, port: int = 0, ready: Callable[[], bool] = lambda: True) -> RpcServer:
    return make_server(
        f"127.0.0.1:{port}",
        authority.issue("vault"),
        AllowList({METHOD: frozenset({"frame"}), **HEALTH_ENTRIES}),
        [(rpc.add_CardFrameServicer_to_server, frame)],
        max_workers=4,
        ready=ready,
    )


@pytest.fixture(scope="module")
def server(authority: Authority, frame: Frame) -> Iterator[RpcServer]:
    server = build(authority, frame)
    server.start()
    yield server
    server.stop(grace=0)


@pytest.fixture
def frame_channel(authority: Authority, server: RpcServer) -> Iterator[grpc.Channel]:
    with open_channel(f"127.0.0.1:{server.port}", authority.issue("frame"), SERVER_NAME) as channel:
        yield channel


def ask(channel: grpc.Channel, timeout: float = 3.0) -> pb.GetSealingKeyResponse:
    return Caller(channel).call(rpc.CardFrameStub(channel).GetSealingKey, pb.GetSealingKeyRequest(), timeout)


def test_the_listed_identity_gets_an_answer_and_the_handler_knows_who_asked(
    frame_channel: grpc.Channel, frame: Frame
) -> None:
    assert ask(frame_channel).kid == "k1"
    assert frame.callers == ["frame"]


def test_another_identity_of_ours_is_denied(authority: Authority, server: RpcServer, frame: Frame) -> None:
    with (
        open_channel(f"127.0.0.1:{server.port}", authority.issue("crm"), SERVER_NAME) as channel,
        pytest.raises(errors.PermissionDenied),
    ):
        ask(channel)
    assert frame.callers == []


@pytest.mark.parametrize(
    "sans",
    [
        ("frame.elsewhere.example",),
        ("frame.wayvault.internal", "portal.wayvault.internal"),
        ("evil.frame.wayvault.internal",),
        ("frame.wayvault.internal.example",),
        (".wayvault.internal",),
    ],
)
def test_a_certificate_that_names_nobody_or_two_is_denied(
    authority: Authority, server: RpcServer, frame: Frame, sans: tuple[str, ...]
) -> None:
    files = authority.issue("odd", *sans)
    with (
        open_channel(f"127.0.0.1:{server.port}", files, SERVER_NAME) as channel,
        pytest.raises((errors.Unauthenticated, errors.PermissionDenied)),
    ):
        ask(channel)
    assert frame.callers == []


def test_a_server_of_another_name_is_not_trusted(authority: Authority, server: RpcServer) -> None:
    with (
        open_channel(f"127.0.0.1:{server.port}", authority.issue("frame"), "crm.wayvault.internal") as channel,
        pytest.raises(errors.Unavailable),
    ):
        ask(channel)


def test_a_call_without_a_deadline_is_refused(frame_channel: grpc.Channel, frame: Frame) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        rpc.CardFrameStub(frame_channel).GetSealingKey(pb.GetSealingKeyRequest())
    assert isinstance(from_rpc_error(caught.value), errors.DeadlineTooShort)
    assert frame.callers == []


def test_a_timeout_that_is_over_already_never_leaves_the_caller(
    frame_channel: grpc.Channel,
) -> None:
    with pytest.raises(errors.DeadlineTooShort):
        ask(frame_channel, timeout=0)


def test_bytes_that_are_no_message_are_refused_as_such(frame_channel: grpc.Channel, frame: Frame) -> None:
    raw: Any = frame_channel.unary_unary(METHOD)
    with pytest.raises(grpc.RpcError) as caught:
        raw(b"\xff\xff\xff\xff", timeout=3)
    assert isinstance(from_rpc_error(caught.value), errors.InvalidArgument)
    assert frame.callers == []


def test_a_message_over_16_kib_is_refused(frame_channel: grpc.Channel, frame: Frame) -> None:
    raw: Any = frame_channel.unary_unary(METHOD)
    with pytest.raises(grpc.RpcError) as caught:
        raw(b"\x0a" * (16 * 1024 + 1), timeout=3)
    assert isinstance(from_rpc_error(caught.value), errors.TooLarge)
    assert frame.callers == []


@pytest.mark.parametrize("cls", errors.WayvaultError.__subclasses__())
def test_every_refusal_arrives_as_it_was_raised(
    frame_channel: grpc.Channel, frame: Frame, cls: type[errors.WayvaultError]
) -> None:
    frame.raises = cls("Say it ünmistakably.", field="cvv", attempts_left=3)
    with pytest.raises(cls) as caught:
        ask(frame_channel)
    assert (caught.value.message, caught.value.field, caught.value.attempts_left) == (
        "Say it ünmistakably.",
        "cvv",
        3,
    )
    assert len(frame.callers) == 1, "an answered call is not repeated"


@given(message=st.text(max_size=300), field=st.text(max_size=30), left=st.integers(0, 5))
def test_any_text_survives_the_trailer(message: str, field: str, left: int) -> None:
    class Call(grpc.RpcError, grpc.Call):  # type: ignore[misc]
        def trailing_metadata(self) -> Any:
            return trailers_of(errors.CodeWrong(message, field=field, attempts_left=left))

    Call.__abstractmethods__ = frozenset()
    error = from_rpc_error(Call())  # type: ignore[abstract]
    assert type(error) is errors.CodeWrong
    assert (error.message, error.field, error.attempts_left) == (
        message or errors.CodeWrong.default_message,
        field,
        left,
    )


def test_a_fault_of_ours_says_nothing_of_its_cause(
    frame_channel: grpc.Channel,
    frame: Frame,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    frame.raises = ValueError("invalid literal: '4111111111111111'")
    with pytest.raises(errors.Internal) as caught:
        ask(frame_channel)
    logged = caplog.text + "".join(capsys.readouterr())
    assert "4111" not in caught.value.message
    assert "4111" not in logged


def test_a_server_that_is_not_there_reads_as_unavailable(authority: Authority) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        with (
            open_channel(f"127.0.0.1:{port}", authority.issue("frame"), SERVER_NAME) as channel,
            pytest.raises(errors.Unavailable),
        ):
            ask(channel, timeout=2)


def test_health_answers_every_identity_and_watching_is_closed(authority: Authority, server: RpcServer) -> None:
    with open_channel(f"127.0.0.1:{server.port}", authority.issue("notifier"), SERVER_NAME) as channel:
        stub, caller = health_pb2_grpc.HealthStub(channel), Caller(channel)
        answer = caller.call(stub.Check, health_pb2.HealthCheckRequest(), 3)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(errors.PermissionDenied):
            list(caller.stream(stub.Watch, health_pb2.HealthCheckRequest(), 3))


def test_health_says_serving_only_while_the_server_can_do_its_work(
    authority: Authority, frame: Frame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.rpc.server._READY_GOOD_FOR", 0.0)
    found: list[bool | Exception] = [True]

    def ready() -> bool:
        if isinstance(found[0], Exception):
            raise found[0]
        return found[0]

    server = build(authority, frame, ready=ready)
    server.start()
    with open_channel(f"127.0.0.1:{server.port}", authority.issue("notifier"), SERVER_NAME) as channel:

        def status() -> int:
            request = health_pb2.HealthCheckRequest()
            return int(Caller(channel).call(health_pb2_grpc.HealthStub(channel).Check, request, 3).status)

        states = []
        for answer in (True, False, OSError("no database"), True):
            found[0] = answer
            states.append(status())
    server.stop(grace=0)
    serving, not_serving = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
    assert states == [serving, not_serving, not_serving, serving]


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (None, "OK"),
        (errors.NotFound(), "NOT_FOUND"),
        (OperationalError("select", {}, Exception("gone")), "UNAVAILABLE"),
        (ValueError("a bug"), "INTERNAL"),
    ],
)
def test_every_outcome_of_a_call_reaches_the_metric(
    frame_channel: grpc.Channel, frame: Frame, raised: Exception | None, code: str
) -> None:
    frame.raises = raised
    before = _counted(code)
    with contextlib.suppress(errors.WayvaultError):
        ask(frame_channel)
    assert _counted(code) == before + 1


def _counted(code: str) -> float:
    return REGISTRY.get_sample_value("wayvault_rpc_seconds_count", {"method": METHOD, "code": code}) or 0.0


def test_stopping_lets_the_call_under_way_finish(authority: Authority) -> None:
    inside, go_on = threading.Event(), threading.Event()

    class Slow(rpc.CardFrameServicer):
        def GetSealingKey(self, request: pb.GetSealingKeyRequest, context: Any) -> pb.GetSealingKeyResponse:
            inside.set()
            go_on.wait(20)
            return pb.GetSealingKeyResponse(kid="late")

    server = build(authority, Slow())  # type: ignore[arg-type]
    stop = threading.Event()
    serving = threading.Thread(target=server.run, args=(stop,))
    serving.start()
    with open_channel(f"127.0.0.1:{server.port}", authority.issue("frame"), SERVER_NAME) as channel:
        future = rpc.CardFrameStub(channel).GetSealingKey.future(
            pb.GetSealingKeyRequest(), timeout=20, wait_for_ready=True
        )
        assert inside.wait(20)
        stop.set()
        go_on.set()
        assert future.result().kid == "late"
    serving.join(10)
    assert not serving.is_alive()


def test_a_replaced_certificate_is_served_to_the_next_caller(authority: Authority, tmp_path: Path) -> None:
    own = Authority.create(tmp_path / "own")
    files = own.issue("vault")
    server = make_server(
        "127.0.0.1:0",
        files,
        AllowList({METHOD: frozenset({"frame"}), **HEALTH_ENTRIES}),
        [(rpc.add_CardFrameServicer_to_server, Frame())],
        max_workers=2,
    )
    server.start()
    try:
        own.issue("vault", expired=True)
        with (
            open_channel(f"127.0.0.1:{server.port}", own.issue("frame"), SERVER_NAME) as channel,
            pytest.raises(errors.Unavailable),
        ):
            ask(channel, timeout=1)
        own.issue("vault")
        with open_channel(f"127.0.0.1:{server.port}", own.issue("frame", file="again"), SERVER_NAME) as channel:
            assert ask(channel).kid == "k1"
    finally:
        server.stop(grace=0)


def test_a_served_method_without_an_entry_stops_the_start(authority: Authority, frame: Frame) -> None:
    with pytest.raises(AllowListError, match="CardFrame/GetSealingKey"):
        make_server(
            "127.0.0.1:0",
            authority.issue("vault"),
            AllowList(HEALTH_ENTRIES),
            [(rpc.add_CardFrameServicer_to_server, frame)],
        )


def test_an_entry_for_an_unknown_method_stops_the_start() -> None:
    allow = AllowList({"/a.B/C": ANYONE, "/a.B/D": ANYONE})
    with pytest.raises(AllowListError, match=r"/a\.B/D"):
        allow.check(["/a.B/C"])


def test_one_call_too_many_is_refused_at_once_with_a_typed_detail(authority: Authority) -> None:
    free = threading.Event()

    class Slow(Frame):
        def GetSealingKey(self, request: pb.GetSealingKeyRequest, context: Any) -> pb.GetSealingKeyResponse:
            free.wait(20)
            return super().GetSealingKey(request, context)

    server = make_server(
        "127.0.0.1:0",
        authority.issue("vault"),
        AllowList({METHOD: frozenset({"frame"}), **HEALTH_ENTRIES}),
        [(rpc.add_CardFrameServicer_to_server, Slow())],
        max_workers=1,
    )
    server.start()
    with open_channel(f"127.0.0.1:{server.port}", authority.issue("frame"), SERVER_NAME) as channel:
        stub = rpc.CardFrameStub(channel)
        calls = [stub.GetSealingKey.future(pb.GetSealingKeyRequest(), timeout=20) for _ in range(12)]
        # One that arrived only after another was answered would find room: all four are waited for.
        ended = futures.as_completed([_as_future(call) for call in calls], timeout=15)
        error, *_ = [next(ended).result() for _ in range(4)]
        assert isinstance(error, grpc.RpcError)
        trailers: Any = error.trailing_metadata()
        assert TRAILER in {key for key, _ in trailers}
        assert isinstance(from_rpc_error(error), errors.Unavailable)
        assert "busy" in from_rpc_error(error).message
        free.set()
        answered = [call for call in calls if call.exception() is None]
        assert len(answered) == 8
    server.stop(grace=0)


def _as_future(call: Any) -> "futures.Future[Any]":
    """gRPC's future as one of the standard library, which can be waited for beside others."""
    future: futures.Future[Any] = futures.Future()

    def settle(done: Any) -> None:
        future.set_result(done.exception())

    call.add_done_callback(settle)
    return future


@given(st.binary(max_size=200))
def test_what_is_no_certificate_names_nobody(given_bytes: bytes) -> None:
    assert identity_of(given_bytes) == ""


@pytest.mark.parametrize(
    "uri",
    [
        "frame.wayvault.internal",
        "spiffe://x/frame.wayvault.internal",
        "https://frame.wayvault.internal",
    ],
)
def test_a_uri_san_is_no_identity_and_takes_none_away(
    authority: Authority, server: RpcServer, frame: Frame, uri: str
) -> None:
    stranger = authority.issue("uri", "elsewhere.example", uris=[uri])
    with (
        open_channel(f"127.0.0.1:{server.port}", stranger, SERVER_NAME) as channel,
        pytest.raises(errors.Unauthenticated),
    ):
        ask(channel)
    assert frame.callers == []
    with open_channel(f"127.0.0.1:{server.port}", authority.issue("frame", uris=[uri]), SERVER_NAME) as channel:
        ask(channel)
    assert frame.callers == ["frame"]


def test_a_call_whose_own_certificate_can_not_be_read_is_unavailable_until_it_can(
    server: RpcServer, authority: Authority, tmp_path: Path
) -> None:
    issued = authority.issue("frame")
    later = replace(issued, cert=tmp_path / "later.pem")
    with open_channel(f"127.0.0.1:{server.port}", later, SERVER_NAME) as channel:
        with pytest.raises(errors.Unavailable), capture_logs() as logs:
            ask(channel)
        assert [(line["event"], line["file"]) for line in logs] == [("rpc.no_certificate", str(later.cert))]
        later.cert.write_bytes(issued.cert.read_bytes())
        assert ask(channel).kid == "k1"
