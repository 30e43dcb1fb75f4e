"""All programs of the vault's zone as an operator starts them: each answers, refuses strangers, and ends when told."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis import errors
from chassis.rpc import Caller, TlsFiles, open_channel
from protos.wayvault.phone.v1 import phone_pb2, phone_pb2_grpc
from protos.wayvault.vault.v1 import charging_pb2, vault_pb2
from protos.wayvault.vault.v1.charging_pb2_grpc import ChargingStub
from protos.wayvault.vault.v1.vault_pb2_grpc import CardIntakeStub
from services.vault.migrations import MIGRATIONS
from tests.support.tls import Authority
from tests.support.vault_kit import write_letter_keys

pytestmark = [pytest.mark.enable_socket, pytest.mark.timeout(300)]
PARENT = "http://crm.localhost:8101"
_READY_SECONDS = 120.0


def free_ports(count: int) -> list[int]:
    with ExitStack() as opened:
        sockets = [opened.enter_context(closing(socket.socket())) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@dataclass
class Zone:
    """The programs of one state directory."""

    folder: Path
    authority: Authority
    ports: dict[str, int]
    environment: dict[str, str]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)

    def start(self, program: str) -> None:
        metrics = f"127.0.0.1:{self.ports[f'{program}-metrics']}"
        given = {"VAULT_METRICS_LISTEN": metrics, "VAULT_WEB_METRICS_LISTEN": metrics, "PHONE_METRICS_LISTEN": metrics}
        with (self.folder / f"{program}.log").open("wb") as log:
            self.running[program] = subprocess.Popen(
                [sys.executable, "-m", "services.vault", program],
                env=self.environment | given,
                stdout=log,
                stderr=log,
            )

    def asked(self, program: str, path: str) -> tuple[int, str]:
        """What its metrics address answers; (0, "") while it does not."""
        return ask(self.ports[f"{program}-metrics"], path)

    def channel(self, program: str, identity: str) -> grpc.Channel:
        files: TlsFiles = self.authority.issue(identity, file=f"{identity}-{program}")
        name = "vault" if program == "serve" else program
        return open_channel(f"127.0.0.1:{self.ports[program]}", files, f"{name}.wayvault.internal")

    def until(self, true: Callable[[], bool], program: str) -> None:
        """Waits until `true`; starts the program anew if an earlier test ended it, as tests come in any order."""
        if program in self.ended:
            self.ended.remove(program)
            self.start(program)
        ends, paused = time.monotonic() + _READY_SECONDS, threading.Event()
        while not true():
            assert self.running[program].poll() is None, self.log(program)
            assert time.monotonic() < ends, self.log(program)
            paused.wait(0.1)

    def log(self, program: str) -> str:
        return (self.folder / f"{program}.log").read_text()[-2000:]

    def run(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "services.vault", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False, timeout=100)
        assert done.returncode == 0, done.stderr
        return done.stdout


def ask(port: int, path: str, host: str = "127.0.0.1") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except OSError:
        return 0, ""
    finally:
        connection.close()


@pytest.fixture(scope="module")
def zone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zone]:
    folder = tmp_path_factory.mktemp("zone")
    authority = Authority.create(folder / "certs")
    for identity in ("vault", "frame", "charging", "phone", "operator"):
        authority.issue(identity)
    signing, _, _, letter_public = write_letter_keys(folder / "letters")
    programs = ("serve", "worker", "web", "charging", "phone")
    names = [*programs, "ng", *(f"{program}-metrics" for program in programs)]
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("VAULT_", "PHONE_"))} | {
        "VAULT_STATE_DIR": str(folder),
        "VAULT_LISTEN": f"127.0.0.1:{ports['serve']}",
        "VAULT_VAULT_ADDRESS": f"127.0.0.1:{ports['serve']}",
        "VAULT_WEB_LISTEN": f"127.0.0.1:{ports['web']}",
        "VAULT_CHARGING_LISTEN": f"127.0.0.1:{ports['charging']}",
        "VAULT_FRAME_ORIGIN": f"http://card.localhost:{ports['web']}",
        "VAULT_FRAME_PARENTS": f'["{PARENT}"]',
        "VAULT_SECRET_KEY": "k" * 40,
        "VAULT_LETTER_SIGNING_KEY": str(signing),
        "VAULT_NOTIFIER_LETTER_KEY": str(letter_public),
        "PHONE_STATE_DIR": str(folder),
        "PHONE_LISTEN": f"127.0.0.1:{ports['phone']}",
        "PHONE_NG_LISTEN": f"127.0.0.1:{ports['ng']}",
        "PHONE_VAULT_ADDRESS": f"127.0.0.1:{ports['serve']}",
    }
    (folder / "vault").mkdir()
    MIGRATIONS.upgrade(f"sqlite:///{folder}/vault/vault.db")
    zone = Zone(folder, authority, ports, environment)
    try:
        for program in programs:
            zone.start(program)
        yield zone
    finally:
        for process in zone.running.values():
            process.kill()
            process.wait()


def serves(zone: Zone, program: str, identity: str) -> bool:
    """Whether gRPC health says so, which asks database and transit."""
    with zone.channel(program, identity) as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=5)
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def test_the_vault_serves_and_records_whom_it_denied(zone: Zone) -> None:
    zone.until(lambda: serves(zone, "serve", "operator"), "serve")
    zone.until(lambda: zone.asked("serve", "/readyz")[0] == 200, "serve")
    with zone.channel("serve", "frame") as channel, pytest.raises(errors.PermissionDenied):
        Caller(channel).call(CardIntakeStub(channel).OpenIntake, vault_pb2.OpenIntakeRequest())
    denied = [line for line in zone.run("export-audit").splitlines() if "call.denied" in line]
    assert any("OpenIntake" in line and '"frame"' in line for line in denied)


def test_the_worker_tells_what_is_kept(zone: Zone) -> None:
    zone.until(lambda: zone.asked("worker", "/readyz")[0] == 200, "worker")
    zone.until(lambda: "wayvault_card_data_held" in zone.asked("worker", "/metrics")[1], "worker")


def test_the_frames_pages_hold_the_vaults_key(zone: Zone) -> None:
    zone.until(lambda: serves(zone, "serve", "operator"), "serve")
    zone.until(lambda: zone.asked("web", "/readyz")[0] == 200, "web")
    host = f"card.localhost:{zone.ports['web']}"
    status, page = ask(zone.ports["web"], f"/capture?parent={PARENT}", host)
    assert (status, "wv-sealing-key" in page, "kid" in page) == (200, True, True)
    assert ask(zone.ports["web"], "/capture?parent=https://elsewhere.example", host)[0] == 403


def test_charging_serves_and_records_whom_it_denied(zone: Zone) -> None:
    zone.until(lambda: serves(zone, "charging", "operator"), "charging")
    with zone.channel("charging", "portal") as channel, pytest.raises(errors.PermissionDenied):
        Caller(channel).call(ChargingStub(channel).SetGatewayKey, charging_pb2.SetGatewayKeyRequest())
    assert any("SetGatewayKey" in line for line in zone.run("export-audit").splitlines())


def test_the_masker_says_what_is_silent(zone: Zone) -> None:
    zone.until(lambda: serves(zone, "phone", "crm"), "phone")
    zone.until(lambda: "wayvault_phone_calls 0.0" in zone.asked("phone", "/metrics")[1], "phone")
    with zone.channel("phone", "crm") as channel:
        stub = phone_pb2_grpc.PhoneCaptureStub(channel)
        answer = Caller(channel).call(stub.GetReadiness, phone_pb2.GetReadinessRequest())
    assert not answer.HasField("kamailio_at"), "nobody plays an exchange here"


@pytest.mark.parametrize("program", ["phone", "charging", "web", "worker", "serve"])
def test_each_ends_well_when_it_is_told_to(zone: Zone, program: str) -> None:
    # Whoever has not begun yet is simply ended by the signal.
    log = zone.folder / f"{program}.log"
    zone.until(lambda: "worker.started" in log.read_text() or zone.asked(program, "/readyz")[0] == 200, program)
    zone.ended.add(program)
    zone.running[program].send_signal(signal.SIGTERM)
    assert zone.running[program].wait(60) == 0, zone.log(program)
    assert "Traceback" not in log.read_text()
