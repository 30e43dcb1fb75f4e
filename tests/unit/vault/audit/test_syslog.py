"""The trail reaches a SIEM over TLS, each row once, and what it did not take is sent again."""

import json
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

import pytest

from services.vault.audit import syslog
from services.vault.audit.rules import AuditEntry
from services.vault.audit.syslog import Receiver, SyslogFault, forward
from tests.support.tls import Authority
from tests.support.vault import VaultRooms

pytestmark = pytest.mark.enable_socket
_HEADER = re.compile(rb"<(\d+)>1 (\S+) - wayvault-vault - audit - (.*)", re.DOTALL)


class Siem:
    """Takes messages as RFC 5425 frames them."""

    def __init__(self, authority: Authority, *, asks: bool = False) -> None:
        files = authority.issue("siem")
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(files.cert, files.key)
        if asks:
            self._context.load_verify_locations(files.ca)
            self._context.verify_mode = ssl.CERT_REQUIRED
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self.events: list[dict[str, object]] = []
        self.priorities: list[int] = []
        self.hangs_up = False
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._listening.accept()
            except OSError:
                return
            with plain, suppress(OSError):
                if self.hangs_up:
                    continue
                with self._context.wrap_socket(plain, server_side=True) as secured:
                    self._read(secured.makefile("rb"))
                    secured.unwrap()

    def _read(self, stream: "socket.SocketIO | object") -> None:
        read = stream.read  # type: ignore[union-attr]
        while True:
            length = b""
            while (digit := read(1)) not in (b" ", b""):
                length += digit
            if not length:
                return
            found = _HEADER.fullmatch(read(int(length)))
            assert found is not None
            self.priorities.append(int(found[1]))
            self.events.append(json.loads(found[3]))

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(10)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.create(tmp_path / "certs")


@pytest.fixture
def siem(authority: Authority) -> Iterator[Siem]:
    made = Siem(authority)
    yield made
    made.close()


def record(rooms: VaultRooms, *actions: str, result: Literal["ok", "refused"] = "ok") -> None:
    with rooms.database.transaction() as session:
        for action in actions:
            rooms.audit.record(session, AuditEntry(action=action, result=result, actor="crm", resource="card_1"))


def operations(siem: Siem) -> list[object]:
    return [event["api"]["operation"] for event in siem.events]  # type: ignore[index]


def test_each_row_is_sent_once_and_the_next_run_goes_on(
    rooms: VaultRooms, siem: Siem, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syslog, "_BATCH", 2)
    receiver, position = Receiver(address=siem.address, ca=authority.directory / "ca.pem"), tmp_path / "position.json"
    record(rooms, "card.stored", "card.revealed", "card.removed")
    assert forward(rooms.database, receiver, position) == 3
    assert operations(siem) == ["card.stored", "card.revealed", "card.removed"]
    assert forward(rooms.database, receiver, position) == 0
    record(rooms, "reveal.refused", result="refused")
    assert forward(rooms.database, receiver, position) == 1
    assert operations(siem)[3:] == ["reveal.refused"]
    assert siem.priorities == [110, 110, 110, 109], "audit facility; a refusal is a notice"


def test_what_was_not_taken_is_sent_again(rooms: VaultRooms, siem: Siem, authority: Authority, tmp_path: Path) -> None:
    receiver, position = Receiver(address=siem.address, ca=authority.directory / "ca.pem"), tmp_path / "position.json"
    record(rooms, "card.stored")
    siem.hangs_up = True
    with pytest.raises(SyslogFault, match=siem.address):
        forward(rooms.database, receiver, position)
    assert not position.exists()
    siem.hangs_up = False
    assert forward(rooms.database, receiver, position) == 1


def test_another_authoritys_receiver_gets_nothing(rooms: VaultRooms, siem: Siem, tmp_path: Path) -> None:
    other = Authority.create(tmp_path / "other")
    record(rooms, "card.stored")
    with pytest.raises(SyslogFault):
        forward(rooms.database, Receiver(address=siem.address, ca=other.directory / "ca.pem"), tmp_path / "p.json")
    assert siem.events == []


def test_our_certificate_is_shown_to_a_receiver_that_asks(
    rooms: VaultRooms, authority: Authority, tmp_path: Path
) -> None:
    asking, ours = Siem(authority, asks=True), authority.issue("operator")
    try:
        record(rooms, "card.stored")
        receiver = Receiver(address=asking.address, ca=ours.ca, cert=ours.cert, key=ours.key)
        assert forward(rooms.database, receiver, tmp_path / "p.json") == 1
    finally:
        asking.close()


@pytest.mark.parametrize("content", ["not json", "[1]", '{"c": "many"}'])
def test_a_position_that_can_not_be_read_is_said(rooms: VaultRooms, tmp_path: Path, content: str) -> None:
    (tmp_path / "p.json").write_text(content)
    with pytest.raises(SyslogFault, match="Name another file"):
        forward(rooms.database, Receiver(address="127.0.0.1:9"), tmp_path / "p.json")


def test_an_address_is_read_with_and_without_its_port() -> None:
    assert (Receiver(address="siem.example").host, Receiver(address="siem.example").port) == ("siem.example", 6514)
    assert Receiver(address="siem.example:7000").port == 7000
    with pytest.raises(SyslogFault, match="no address such as"):
        assert Receiver(address="siem.example:tls").port
