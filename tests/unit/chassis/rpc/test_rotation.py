"""Certificates change while everything runs (O5): no call fails, and the new ones are what is used afterwards."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from chassis.certificates import days_left, read_certificates
from chassis.clock import SystemClock
from chassis.rpc import AllowList, Caller, RpcServer, TlsFiles, make_server, open_channel
from chassis.rpc.server import HEALTH_ENTRIES
from chassis.rpc.tls import HalfReplaced
from deploy.dev.certificates import CertificateFault, change_authority, ensure, inventory, main
from deploy.dev.state import Ports, State
from protos.wayvault.vault.v1 import vault_pb2 as pb
from protos.wayvault.vault.v1 import vault_pb2_grpc as rpc

METHOD = "/wayvault.vault.v1.CardFrame/GetSealingKey"
SERVER_NAME = "vault.wayvault.internal"

pytestmark = pytest.mark.enable_socket


class Frame(rpc.CardFrameServicer):
    def GetSealingKey(self, request: pb.GetSealingKeyRequest, context: Any) -> pb.GetSealingKeyResponse:
        return pb.GetSealingKeyResponse(kid="k1")


@pytest.fixture
def state(tmp_path: Path) -> State:
    state = State(root=tmp_path, ports=Ports())
    ensure(state)
    return state


def files_of(state: State, identity: str) -> TlsFiles:
    certs = state.certs
    return TlsFiles(ca=certs / "ca.pem", cert=certs / f"{identity}.pem", key=certs / f"{identity}.key")


@contextmanager
def serving(state: State) -> Iterator[RpcServer]:
    server = make_server(
        "127.0.0.1:0",
        files_of(state, "vault"),
        AllowList({METHOD: frozenset({"frame"}), **HEALTH_ENTRIES}),
        [(rpc.add_CardFrameServicer_to_server, Frame())],
        max_workers=4,
    )
    server.start()
    try:
        yield server
    finally:
        server.stop(grace=0)


class Load:
    """Callers that call without a pause, each over a channel of its own that stays open, and count what fails."""

    def __init__(self, state: State, port: int, callers: int = 2) -> None:
        self.stop, self.failed = threading.Event(), []  # type: tuple[threading.Event, list[Exception]]
        self.done = [0] * callers
        self._more = threading.Condition()
        self._threads = [
            threading.Thread(target=self._call, args=(state, port, number), daemon=True) for number in range(callers)
        ]
        for thread in self._threads:
            thread.start()

    def _call(self, state: State, port: int, number: int) -> None:
        channel = open_channel(f"127.0.0.1:{port}", files_of(state, "frame"), SERVER_NAME)
        caller, stub = Caller(channel), rpc.CardFrameStub(channel)
        while not self.stop.is_set():
            try:
                caller.call(stub.GetSealingKey, pb.GetSealingKeyRequest())
            except Exception as error:
                self.failed.append(error)
            with self._more:
                self.done[number] += 1
                self._more.notify_all()
        caller.close()

    def more(self, calls: int = 20) -> None:
        """Returns when every caller has finished that many calls more."""
        with self._more:
            wanted = [count + calls for count in self.done]
            assert self._more.wait_for(lambda: all(a >= b for a, b in zip(self.done, wanted, strict=True)), timeout=30)

    def end(self) -> None:
        self.stop.set()
        for thread in self._threads:
            thread.join(10)


def test_through_three_rotations_and_a_new_authority_no_call_fails(state: State) -> None:
    old = read_certificates(state.certs / "ca.pem")[0].subject
    with serving(state) as server, ExitStack() as ending:
        load = Load(state, server.port)
        ending.callback(load.end)
        load.more()
        for identity in ("vault", "frame"):
            ensure(state, rotate=identity)
            load.more()
        for step in ("begin", "issue", "finish"):
            change_authority(state, step)
            load.more()
        # A caller that comes now knows the new authority alone.
        newcomer = Load(state, server.port, callers=1)
        ending.callback(newcomer.end)
        newcomer.more()
    assert load.failed == []
    assert newcomer.failed == []
    (root,) = read_certificates(state.certs / "ca.pem")
    assert root.subject != old


def test_a_client_presents_its_new_certificate_at_the_next_call(state: State, tmp_path: Path) -> None:
    with serving(state) as server:
        files = files_of(state, "frame")
        with open_channel(f"127.0.0.1:{server.port}", files, SERVER_NAME) as channel:
            caller, stub = Caller(channel), rpc.CardFrameStub(channel)
            caller.call(stub.GetSealingKey, pb.GetSealingKeyRequest())
            # The portal's certificate in the frame's place: the server must see who calls now.
            for kind in ("pem", "key"):
                (state.certs / f"frame.{kind}").write_bytes((state.certs / f"portal.{kind}").read_bytes())
            with pytest.raises(Exception, match="may not"):
                caller.call(stub.GetSealingKey, pb.GetSealingKeyRequest())


def test_while_key_and_certificate_differ_the_old_connection_serves_on(state: State) -> None:
    with serving(state) as server:
        files = files_of(state, "frame")
        with open_channel(f"127.0.0.1:{server.port}", files, SERVER_NAME) as channel:
            caller, stub = Caller(channel), rpc.CardFrameStub(channel)
            caller.call(stub.GetSealingKey, pb.GetSealingKeyRequest())
            (state.certs / "frame.key").write_bytes((state.certs / "portal.key").read_bytes())
            with pytest.raises(HalfReplaced):
                files.read_whole()
            assert caller.call(stub.GetSealingKey, pb.GetSealingKeyRequest()).kid == "k1"
            (state.certs / "frame.pem").unlink()
            assert caller.call(stub.GetSealingKey, pb.GetSealingKeyRequest()).kid == "k1"


def test_days_left_are_a_metric_that_follows_the_file(state: State) -> None:
    files_of(state, "crm").read()
    shown = REGISTRY.get_sample_value("wayvault_certificate_days_left", {"file": "crm.pem"})
    assert shown == pytest.approx(days_left(state.certs / "crm.pem", SystemClock()), abs=0.01)
    assert shown is not None
    assert 396 < shown < 398

    (state.certs / "crm.pem").write_text("gone")

    assert REGISTRY.get_sample_value("wayvault_certificate_days_left", {"file": "crm.pem"}) == -1


def test_the_steps_of_a_new_authority_have_an_order_and_each_may_run_again(state: State) -> None:
    for step in ("issue", "finish"):
        with pytest.raises(CertificateFault, match="not the next step"):
            change_authority(state, step)
    change_authority(state, "begin")
    for step in ("begin", "finish"):
        with pytest.raises(CertificateFault, match="not the next step"):
            change_authority(state, step)
    change_authority(state, "issue")
    assert change_authority(state, "issue").certificates == []
    change_authority(state, "finish")
    assert ensure(state).certificates == []


def test_the_inventory_lists_the_most_urgent_first(state: State, capsys: pytest.CaptureFixture[str]) -> None:
    names = [name for name, _ in inventory(state, SystemClock())]
    assert names[-1] == "ca.pem"
    assert {"crm.pem", "operator.pem", "rabbitmq.pem"} <= set(names)
    assert main(["--state", str(state.root), "--list"]) == 0
    assert "days left" in capsys.readouterr().out
