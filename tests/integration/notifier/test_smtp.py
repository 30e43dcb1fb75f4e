"""The SMTP transport against a real SMTP server on loopback."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from services.notifier.deliveries.message import ReplyTo, build
from services.notifier.deliveries.rules import Deferred, Refused, Sent
from services.notifier.deliveries.transports import SmtpTransport
from services.notifier.templates.rules import Rendered
from tests.support.smtp import send_alone, smtp_server


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


@pytest.mark.parametrize("url", ["http://x", "smtp://", "mail.example"])
def test_a_url_that_names_no_mail_server_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="SMTP_URL"):
        SmtpTransport(url)
