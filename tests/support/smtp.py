"""SMTP servers on loopback, for tests of who sends."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from services.notifier.deliveries.rules import Outcome
from services.notifier.deliveries.transports import SmtpTransport

# What a script's server answers by closing the connection.
BREAK_OFF = ""


def send_alone(url: str, message: EmailMessage, recipient: str) -> Outcome:
    """Sends one mail and says goodbye."""
    transport = SmtpTransport(url)
    try:
        return transport.send(message, recipient)
    finally:
        transport.let_go(all_of_it=True)


@contextmanager
def smtp_server(handler: object, **options: Any) -> Iterator[int]:  # Any: aiosmtpd's own options
    """Runs one with aiosmtpd's handler; its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


@dataclass
class Script:
    """What a server answers to each command; BREAK_OFF closes the connection instead. `heard` has the commands of each
    connection, `senders` each MAIL, `taken` the messages."""

    answers: dict[str, str] = field(default_factory=dict)
    taken: list[tuple[str, bytes]] = field(default_factory=list)
    heard: list[list[str]] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)
    connections: list[socket.socket] = field(default_factory=list)

    def hang_up(self, *, saying: str = "") -> None:
        """The server ends every connection by itself, perhaps saying why, as after a time without a command."""
        for connection in self.connections:
            with suppress(OSError):
                connection.sendall(saying.encode())
                connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def scripted_server(script: Script) -> Iterator[str]:
    """Runs one by a script; its address as SMTP_URL has it."""
    server = _Server(script)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"smtp://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, script: Script) -> None:
        self.script = script
        super().__init__(("127.0.0.1", 0), _Conversation)


class _Conversation(socketserver.StreamRequestHandler):
    """As much of SMTP as a sender sees, without any extension: no 8BITMIME, no SMTPUTF8."""

    server: _Server

    def handle(self) -> None:
        script, recipient, heard = self.server.script, "", list[str]()
        script.connections.append(self.connection)
        script.heard.append(heard)
        if not self._say("hello", "220 sink"):
            return
        while line := self._line():
            word = line[:4].decode("ascii").strip().lower()
            heard.append(word)
            if word == "mail":
                script.senders.append(line.decode("ascii").strip())
            if word == "rcpt":
                recipient = line.decode("ascii").strip()
            if not self._say(word, "354 go" if word == "data" else "250 ok") or word == "quit":
                return
            if word == "data" and script.answers.get("data", "354").startswith("3"):
                lines = []
                while (each := self._line()) and each != b".\r\n":
                    lines.append(each)
                script.taken.append((recipient, b"".join(lines)))
                if not self._say("end", "250 taken"):
                    return

    def _line(self) -> bytes:
        try:
            return self.rfile.readline()
        except OSError:
            return b""

    def _say(self, word: str, usual: str) -> bool:
        answer = self.server.script.answers.get(word, usual)
        if answer == BREAK_OFF:
            return False
        with suppress(OSError):
            self.wfile.write(answer.encode() + b"\r\n")
        return True
