"""The SMTP transport against a real SMTP server on loopback."""

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import ValidationError

from services.notifier.config import NotifierSettings
from services.notifier.deliveries.message import ReplyTo, build
from services.notifier.deliveries.rules import Deferred, Refused, Sent
from services.notifier.deliveries.transports import SmtpTransport
from services.notifier.templates.rules import Rendered
from tests.support.smtp import BREAK_OFF, Script, scripted_server, send_alone, smtp_server
from tests.support.tls import Authority


class Handler:
    """Takes mail, or answers each recipient as told."""

    def __init__(self) -> None:
        self.reply = "250 OK"
        self.taken: list[Envelope] = []

    async def handle_RCPT(  # the name that aiosmtpd calls
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        if self.reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.reply

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:
        self.taken.append(envelope)
        return "250 OK"


@pytest.fixture
def server() -> Iterator[tuple[Handler, str]]:
    handler = Handler()
    with smtp_server(handler) as port:
        yield handler, f"smtp://127.0.0.1:{port}"


def message() -> EmailMessage:
    return build(
        message_id="dlv_1",
        sender_name="Harbour & Vine",
        sender_address="no-reply@wayvault.example",
        reply_to=ReplyTo(),
        recipient="ann@example.com",
        rendered=Rendered(subject="Hello Zoë", text="Grüße\n", html="<p>Grüße</p>"),
        attachments=(),
        now=datetime(2026, 11, 21, tzinfo=UTC),
    )


def test_a_message_that_the_server_takes_is_sent(server: tuple[Handler, str]) -> None:
    handler, url = server

    assert send_alone(url, message(), "ann@example.com") == Sent()
    assert [envelope.rcpt_tos for envelope in handler.taken] == [["ann@example.com"]]


def test_a_4xx_reply_is_tried_again_and_a_5xx_reply_is_final(server: tuple[Handler, str]) -> None:
    handler, url = server
    handler.reply = "451 busy"
    assert isinstance(send_alone(url, message(), "ann@example.com"), Deferred)

    handler.reply = "550 no such person"
    refused = send_alone(url, message(), "ann@example.com")
    assert isinstance(refused, Refused)
    assert "550" in refused.reason


def test_a_server_that_is_away_is_tried_again() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    assert isinstance(send_alone(f"smtp://127.0.0.1:{port}", message(), "ann@example.com"), Deferred)


def test_a_server_without_the_asked_tls_gets_nothing(server: tuple[Handler, str]) -> None:
    handler, url = server

    assert isinstance(send_alone(f"{url}?starttls=1", message(), "ann@example.com"), Deferred)
    assert handler.taken == []


@pytest.mark.parametrize("answer", ["454 4.7.0 not now", "501 what", "554 no", "220 go on, without TLS", BREAK_OFF])
def test_a_server_that_offers_tls_and_fails_gets_nothing_and_is_tried_again(answer: str) -> None:
    script = Script(answers={"ehlo": "250-sink\r\n250 STARTTLS", "star": answer})
    with scripted_server(script) as url:
        assert isinstance(send_alone(f"{url}?starttls=1", message(), "ann@example.com"), Deferred)
    assert script.senders == []


@pytest.mark.parametrize(
    ("expired", "trusted", "words"), [(True, True, "expired"), (False, False, "issuer"), (False, True, "")]
)
def test_a_certificate_that_is_no_good_is_named_and_the_mail_waits(
    tmp_path: Path, expired: bool, trusted: bool, words: str
) -> None:
    authority = Authority.create(tmp_path / "ca")
    leaf = authority.issue("mail", expired=expired)
    ours = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ours.load_cert_chain(leaf.cert, leaf.key)
    theirs = ssl.create_default_context(cafile=authority.directory / "ca.pem" if trusted else None)
    handler = Handler()
    with smtp_server(handler, tls_context=ours, require_starttls=True) as port:
        transport = SmtpTransport(f"smtp://127.0.0.1:{port}?starttls=1", tls_context=theirs)
        outcome = transport.send(message(), "ann@example.com")
        transport.let_go(all_of_it=True)
    if words:
        assert isinstance(outcome, Deferred)
        assert "certificate can't be trusted" in outcome.reason
        assert words in outcome.reason
    assert len(handler.taken) == (0 if words else 1)


@pytest.mark.parametrize(
    ("offer", "answer", "words"),
    [
        ("AUTH LOGIN", "535 5.7.8 wrong", "did not accept"),
        ("AUTH PLAIN", "534 5.7.9 too weak", "did not accept"),
        ("AUTH PLAIN", "454 4.7.0 directory away", "could not check"),
        ("AUTH XOAUTH2", "504 what", "no way to sign in"),
        ("HELP", "502 what", "lacks"),
        ("AUTH CRAM-MD5 PLAIN LOGIN", "235 welcome", ""),
        ("AUTH=PLAIN", "235 welcome", ""),
    ],
)
@pytest.mark.parametrize("user", ["wayvault:p%40ss", "wayvault:p%C3%A4%C3%9F"])
def test_a_sign_in_that_fails_is_ours_to_mend_and_the_mail_waits(
    user: str, offer: str, answer: str, words: str
) -> None:
    script = Script(answers={"ehlo": f"250-sink\r\n250 {offer}", "auth": answer})
    with scripted_server(script) as url:
        outcome = send_alone(url.replace("//", f"//{user}@"), message(), "ann@example.com")
    if words and not (words == "no way to sign in" and "%C3" in user):
        assert isinstance(outcome, Deferred)
        assert words in outcome.reason
    assert isinstance(outcome, Deferred if words else Sent)
    assert len(script.taken) == (0 if words else 1)


@pytest.mark.parametrize(
    "url",
    [
        "http://x",
        "smtp://",
        "mail.example",
        # A slip in an option must not mean that mail leaves in the clear.
        "smtp://mail.example?starttls=true",
        "smtp://mail.example?STARTTLS=1",
        "smtp://mail.example?tls=1",
        "smtp://mail.example;starttls=1",
        "smtps://mail.example?starttls=1",
        # A sign of a password that was not escaped: "user" is no host.
        "smtp://user:12/34@mail.example",
        "smtp://user:12#34@mail.example",
        "smtp://user:pa?ss@mail.example",
        "smtp://mail.example:0",
        "smtp://mail.example:smtp",
    ],
)
def test_a_url_that_names_no_mail_server_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(ValueError, match="SMTP_URL") as refused:
        SmtpTransport(url)
    assert "34" not in str(refused.value)
    with pytest.raises(ValidationError):
        NotifierSettings(smtp_url=url)
