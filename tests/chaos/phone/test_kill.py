"""kill -9 of the masker at every field: the CRM hears of it within 3 s, no digit is in any file, no tone passes."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from chassis.errors import WayvaultError
from chassis.rpc import Caller, open_channel
from deploy.phone import extensions, kamailio
from deploy.phone.softphone import EVENT_TYPE, PhoneFault, Softphone
from protos.wayvault.phone.v1 import phone_pb2 as pb
from protos.wayvault.phone.v1 import phone_pb2_grpc
from services.vault.phone.signal.g711 import PCMU
from tests.proof.phone.judges import Goertzel
from tests.support.tls import Authority

pytestmark = [pytest.mark.chaos, pytest.mark.enable_socket]

# A published test card number; the others are easy to find in a file.
FIELDS = {pb.PHONE_FIELD_NUMBER: "4000056655665556", pb.PHONE_FIELD_EXPIRY: "0934", pb.PHONE_FIELD_CVV: "7319"}


class Killed:
    """Kamailio, a masker of its own process, two telephones on a call."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        base = random.randrange(43_000, 60_000, 100)
        self.known = extensions.ensure(folder / "phone")
        kamailio.prepare(folder / "phone", kamailio.Listening(address="127.0.0.1", port=base, ng_port=base + 1))
        self._started(stack, list(kamailio.arguments(folder / "phone")), {}, "kamailio")
        authority = Authority.create(folder / "certs")
        own = authority.issue("phone")
        settings = {
            "PHONE_LISTEN": f"127.0.0.1:{base + 2}",
            "PHONE_NG_LISTEN": f"127.0.0.1:{base + 1}",
            "PHONE_MEDIA_FIRST_PORT": str(base + 10),
            "PHONE_MEDIA_LAST_PORT": str(base + 60),
            "PHONE_VAULT_ADDRESS": f"127.0.0.1:{base + 3}",
            "PHONE_TLS_CA": str(own.ca),
            "PHONE_TLS_CERT": str(own.cert),
            "PHONE_TLS_KEY": str(own.key),
        }
        self.masker = self._started(stack, [sys.executable, "-m", "services.vault", "phone"], settings, "masker")
        channel = open_channel(f"127.0.0.1:{base + 2}", authority.issue("crm"), "phone.wayvault.internal")
        stack.callback(channel.close)
        self.caller, self.stub = Caller(channel), phone_pb2_grpc.PhoneCaptureStub(channel)
        self.server = ("127.0.0.1", base)
        self.stack = stack

    def _started(
        self, stack: ExitStack, arguments: list[str], settings: dict[str, str], name: str
    ) -> "subprocess.Popen[bytes]":
        log = stack.enter_context((self.folder / f"{name}.log").open("wb"))
        process = subprocess.Popen(arguments, env={**os.environ, **settings}, stdout=log, stderr=log)
        stack.callback(process.wait, 10)
        # Told to end, Kamailio ends its own processes too.
        stack.callback(process.terminate)
        return process

    def phone(self, user: str) -> Softphone:
        found = Softphone(self.known[user], self.server).start()
        self.stack.callback(found.close)
        for _ in range(5):
            try:
                found.register()
            except PhoneFault:
                continue
            return found
        raise AssertionError((self.folder / "kamailio.log").read_text("utf-8", "replace")[-2000:])


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Killed]:
    with ExitStack() as stack:
        yield Killed(tmp_path, stack)


def _until(condition: "object", seconds: float = 20.0) -> None:
    ends = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < ends, "it did not happen in time"
        threading.Event().wait(0.05)


@pytest.mark.parametrize("field", FIELDS, ids=["number", "expiry", "cvv"])
def test_the_masker_is_killed_while_a_field_is_keyed(house: Killed, field: "pb.PhoneField.ValueType") -> None:
    agent, client = house.phone(extensions.AGENT), house.phone(extensions.CLIENT)

    def ready() -> bool:
        try:
            house.caller.call(house.stub.GetReadiness, pb.GetReadinessRequest(), 2.0)
        except WayvaultError:
            return False
        return True

    _until(ready)
    client.call(extensions.AGENT)
    _until(agent.in_call.is_set)
    opened = house.caller.call(
        house.stub.OpenSession,
        pb.OpenSessionRequest(
            agency_id="agency",
            agent_id="maya",
            payment_id="payment",
            card_retention_days=30,
            cvv_retention_hours=72,
            field_seconds=45,
            idle_seconds=180,
            total_seconds=900,
        ),
    )
    agent.key(f"*{opened.pin}#")
    whose = pb.SessionRequest(session_id=opened.session_id, agent_id="maya")
    watched = house.caller.stream(house.stub.WatchSession, whose, 60.0)
    next(progress for progress in watched if progress.state == "tied")
    tied = time.monotonic()
    house.caller.call(
        house.stub.CaptureField, pb.CaptureFieldRequest(session_id=opened.session_id, agent_id="maya", field=field)
    )
    client.key(FIELDS[field], by="both")
    next(progress for progress in watched if any(shown.digits >= 2 for shown in progress.fields))
    house.masker.send_signal(signal.SIGKILL)
    killed = time.monotonic()
    with pytest.raises(WayvaultError):
        list(watched)
    assert time.monotonic() - killed < 3
    client.keyed()
    heard = [packet for packet in agent.heard if packet[0] > tied + 0.1]
    assert not [kind for _, kind, _ in heard if kind == EVENT_TYPE]
    # Nothing is relayed after its death: the call is silent, both ways.
    assert not [at for at, _, _ in heard if at > killed + 0.5]
    sound = PCMU.decode(b"".join(payload for _, kind, payload in heard if kind == 0)).astype(float)
    assert Goertzel().claims(sound) == set()
    _no_digit_is_in_any_file(house.folder, FIELDS[field])


def _no_digit_is_in_any_file(folder: Path, digits: str) -> None:
    planted = folder / "planted.txt"
    planted.write_text(f"found: {digits}", "utf-8")
    with_it = {path.name for path in folder.rglob("*") if path.is_file() and digits.encode() in path.read_bytes()}
    assert with_it == {"planted.txt"}
    assert not list(folder.rglob("core*"))
    assert not list(Path.cwd().glob("core*"))
