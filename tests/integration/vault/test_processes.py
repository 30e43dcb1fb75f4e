"""Several vault processes behind one port (SO_REUSEPORT), as an operator starts them."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest

from chassis import errors
from chassis.rpc import Caller, TlsFiles, open_channel
from protos.wayvault.vault.v1 import vault_pb2 as pb
from protos.wayvault.vault.v1 import vault_pb2_grpc as rpc
from tests.support.tls import Authority
from tests.support.vault_kit import AGENCY, AGENT, Frame, key, write_letter_keys

SERVER_NAME = "vault.wayvault.internal"
pytestmark = [pytest.mark.enable_socket, pytest.mark.timeout(300)]


@dataclass(slots=True)
class Running:
    """A state directory, its port, and how to start processes on it."""

    folder: Path
    authority: Authority
    environment: dict[str, str]
    port: int

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "services.vault", *arguments]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False, timeout=100)

    @contextmanager
    def serve(self, name: str) -> Iterator[subprocess.Popen[bytes]]:
        with (self.folder / f"{name}.log").open("wb") as log:
            command = [sys.executable, "-m", "services.vault", "serve"]
            process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def calls_served(self, name: str) -> int:
        return (self.folder / f"{name}.log").read_text().count("GetSealingKey")

    def channel(self, identity: str, number: int = 0) -> grpc.Channel:
        """A connection of its own: the server's processes share them out."""
        files: TlsFiles = self.authority.issue(identity, file=f"{identity}-{number}")
        return open_channel(f"127.0.0.1:{self.port}", files, SERVER_NAME)


@pytest.fixture
def running(tmp_path: Path) -> Running:
    authority = Authority.create(tmp_path / "certs")
    authority.issue("vault")
    authority.issue("operator")
    signing, _, _, letter_public = write_letter_keys(tmp_path / "letters")
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VAULT_")} | {
        "VAULT_STATE_DIR": str(tmp_path),
        "VAULT_LISTEN": f"127.0.0.1:{port}",
        "VAULT_VAULT_ADDRESS": f"127.0.0.1:{port}",
        "VAULT_SECRET_KEY": "k" * 40,
        "VAULT_LETTER_SIGNING_KEY": str(signing),
        "VAULT_NOTIFIER_LETTER_KEY": str(letter_public),
    }
    return Running(tmp_path, authority, environment, port)


def sealing_key(channel: grpc.Channel, timeout: float = 10.0) -> str:
    stub = rpc.CardFrameStub(channel)
    return Caller(channel).call(stub.GetSealingKey, pb.GetSealingKeyRequest(), timeout).public_jwk


def wait_until_served(running: Running) -> str:
    stopped = threading.Event()
    for number in range(200):
        with running.channel("frame", number + 1000) as channel:
            try:
                return sealing_key(channel, 2.0)
            except errors.Unavailable:
                stopped.wait(0.25)
    raise AssertionError((running.folder / "a.log").read_text()[-2000:])


def test_two_processes_share_one_port_and_one_may_go(running: Running) -> None:
    assert running.run("migrate").returncode == 0
    with running.serve("a") as first, running.serve("b"):
        jwk = wait_until_served(running)
        enrolled = running.run(
            "enroll-agent", "--agent-id", AGENT, "--agency-id", AGENCY, "--name", "Maya", "--email", "m@harbour.example"
        )
        assert enrolled.returncode == 0, enrolled.stderr
        assert "is enrolled" in enrolled.stdout
        number = 0
        while not (running.calls_served("a") and running.calls_served("b")):
            number += 1
            assert number < 200, "one process never got a call"
            with running.channel("frame", number) as channel:
                sealing_key(channel)
        with running.channel("portal") as portal, running.channel("crm") as crm:
            token = _store(portal, jwk)
            # A planned stop: calls under way finish, the next ones go to the other process.
            first.send_signal(signal.SIGTERM)
            for _ in range(20):
                with running.channel("frame", 500) as channel:
                    sealing_key(channel)
            assert first.wait(30) == 0
            described = Caller(crm).call(
                rpc.CardCustodyStub(crm).DescribeCard, pb.DescribeCardRequest(card_token=token, agent_id=AGENT)
            )
        assert described.state == pb.CARD_STATE_STORED
        verified = running.run("verify-audit")
        assert verified.returncode == 0, verified.stdout + verified.stderr


def _store(portal: grpc.Channel, jwk: str) -> str:
    caller, stub = Caller(portal), rpc.CardIntakeStub(portal)
    opened = caller.call(
        stub.OpenIntake,
        pb.OpenIntakeRequest(
            idempotency_key=key(),
            agency_id=AGENCY,
            payment_id="payment_1",
            owner_agent_id=AGENT,
            kind=pb.INTAKE_KIND_CARD,
            card_retention_days=30,
            cvv_retention_hours=72,
        ),
    )
    sealed = Frame(sealing_jwk=jwk).card(opened.intake_id)
    request = pb.StoreCardRequest(idempotency_key=key(), intake_id=opened.intake_id, sealed_card=sealed)
    return caller.call(stub.StoreCard, request).card_token


def test_settings_that_cannot_work_stop_the_start_with_plain_words(running: Running) -> None:
    running.environment["VAULT_TLS_CERT"] = str(running.folder / "nothing.pem")
    started = running.run("serve")
    assert started.returncode == 1
    assert "VAULT_TLS_CERT" in started.stderr
    assert "Traceback" not in started.stderr
