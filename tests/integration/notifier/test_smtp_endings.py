"""What decides over a mail: the answer to the end of DATA, and nothing after it (case 04-smtp-quit)."""

import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as default_policy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.notifier.deliveries.message import ReplyTo, build
from services.notifier.deliveries.rules import Deferred, Refused, Sent
from services.notifier.deliveries.transports import SmtpTransport
from services.notifier.templates.rules import Rendered

BREAK_OFF = ""


@dataclass
class Script:
    """What the server answers to each command; BREAK_OFF closes the connection instead."""

    answers: dict[str, str] = field(default_factory=dict)
    taken: list[tuple[str, bytes]] = field(default_factory=list)


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
        recipient = ""
        if not self._say("hello", "220 sink"):
            return
        while line := self.rfile.readline():
            word = line[:4].decode("ascii").strip().lower()
            if word == "rcpt":
                recipient = line.decode("ascii").strip()
            if not self._say(word, "354 go" if word == "data" else "250 ok") or word == "quit":
                return
            if word == "data" and self.server.script.answers.get("data", "354").startswith("3"):
                lines = []
                while (each := self.rfile.readline()) and each != b".\r\n":
                    lines.append(each)
                self.server.script.taken.append((recipient, b"".join(lines)))
                if not self._say("end", "250 taken"):
                    return

    def _say(self, word: str, usual: str) -> bool:
        answer = self.server.script.answers.get(word, usual)
        if answer == BREAK_OFF:
            return False
        self.wfile.write(answer.encode() + b"\r\n")
        return True


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[[Script], str]]:
    started: list[_Server] = []

    def start(script: Script) -> str:
        server = _Server(script)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        started.append(server)
        return f"smtp://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in started:
        server.shutdown()
        server.server_close()


def message(recipient: str = "ann@example.com", text: str = "Grüße\n") -> EmailMessage:
    return build(
        message_id="dlv_1",
        sender_name="Harbour & Vine",
        sender_address="no-reply@wayvault.example",
        reply_to=ReplyTo(),
        recipient=recipient,
        rendered=Rendered(subject="Hello Zoë", text=text, html=f"<p>{text}</p>"),
        attachment=None,
        now=datetime(2026, 11, 21, tzinfo=UTC),
    )


@pytest.mark.parametrize("goodbye", ["221 bye", "250 ok", "421 later", "554 no", "nonsense", BREAK_OFF])
def test_whatever_the_server_answers_to_quit_a_mail_it_took_is_sent_once(
    serve: Callable[[Script], str], goodbye: str
) -> None:
    script = Script(answers={"quit": goodbye})
    assert SmtpTransport(serve(script)).send(message(), "ann@example.com") == Sent()
    assert len(script.taken) == 1


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ({"hello": "554 not here"}, Deferred),
        ({"hello": BREAK_OFF}, Deferred),
        ({"mail": "451 later"}, Deferred),
        ({"mail": "530 sign in first"}, Deferred),
        ({"mail": "550 not you"}, Refused),
        ({"rcpt": "450 greylisted"}, Deferred),
        ({"rcpt": "421 closing"}, Deferred),
        ({"rcpt": "550 no such person"}, Refused),
        ({"rcpt": BREAK_OFF}, Deferred),
        ({"data": "554 no"}, Refused),
        ({"data": "451 no"}, Deferred),
        ({"end": "552 too large"}, Refused),
        ({"end": "452 full"}, Deferred),
        ({"end": BREAK_OFF}, Deferred),
    ],
)
def test_a_refusal_for_good_and_one_for_now_are_told_apart_at_every_step(
    serve: Callable[[Script], str], answers: dict[str, str], outcome: type
) -> None:
    found = SmtpTransport(serve(Script(answers=answers))).send(message(), "ann@example.com")
    assert isinstance(found, outcome)


def test_an_international_domain_goes_over_the_wire_as_idna(serve: Callable[[Script], str]) -> None:
    script = Script()
    mail = message("ann@bücher.example")
    sent = SmtpTransport(serve(script)).send(mail, mail["To"].addresses[0].addr_spec)
    assert sent == Sent()
    ((recipient, raw),) = script.taken
    assert recipient.lower() == "rcpt to:<ann@xn--bcher-kva.example>"
    assert message_from_bytes(raw, policy=default_policy)["To"] == "ann@xn--bcher-kva.example"


_LINES = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=1200)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.lists(_LINES, max_size=4).map("\n".join))
def test_any_text_arrives_whole_in_short_lines_of_seven_bits(serve: Callable[[Script], str], text: str) -> None:
    script = Script()
    assert SmtpTransport(serve(script)).send(message(text=text), "ann@example.com") == Sent()
    ((_, raw),) = script.taken
    assert max(raw) < 128
    assert all(line.endswith(b"\r\n") and len(line) <= 1000 for line in raw.splitlines(keepends=True))
    unstuffed = raw.replace(b"\r\n..", b"\r\n.")
    body = message_from_bytes(unstuffed, policy=default_policy).get_body(("plain",))
    assert body is not None
    assert body.get_content().replace("\r\n", "\n").rstrip("\n") == text.rstrip("\n")
