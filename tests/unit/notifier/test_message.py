"""Messages that nobody can smuggle headers into (docs/security.md: a corpus of 500)."""

import itertools
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.policy import compat32
from email.policy import default as default_policy
from email.utils import getaddresses

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from chassis.mail_addresses import EXAMPLE, AddressRefused, wire_address
from services.notifier.config import NotifierSettings
from services.notifier.deliveries.message import (
    Attachment,
    MessageRefused,
    ReplyTo,
    build,
    checked_address,
    header_text,
)
from services.notifier.templates.rules import Rendered

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

_BREAKS = ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\x00", "\r\n ", "\n\t", "%0d%0a", "=0D=0A"]
_PAYLOADS = [
    "Bcc: all@evil.example",
    "To: x@evil.example",
    "Subject: other",
    "Content-Type: text/html",
    "\r\nbody of mine",
    "X-A: b\r\nX-C: d",
    "=?utf-8?q?=0D=0ABcc:_x@evil.example?=",
    "=?utf-8?b?DQpCY2M6IHhAZXZpbC5leGFtcGxl?=",
    "=?iso-8859-1?Q?a?= =?iso-8859-1?Q?b?=",
    "MIME-Version: 1.0",
]
_TELLTALES = ("\r", "\n", ":", "=?", "\x00", "\x0b", "\x0c", "\x85", "\u2028", "\u2029")
_CARRIERS = ["{break_}{payload}", "Maya{break_}{payload}", "{payload}{break_}Maya", "Maya {break_}{break_}{payload}"]
CORPUS = [
    carrier.format(break_=break_, payload=payload)
    for carrier, break_, payload in itertools.product(_CARRIERS, _BREAKS, _PAYLOADS)
]
HEADERS = {
    "From", "To", "Reply-To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
}  # fmt: skip

_NOBODY = ReplyTo()


def _message(
    *,
    name: str = "Harbour & Vine",
    subject: str = "Hello",
    to: str = "ann@example.com",
    sender: str = "no-reply@wayvault.example",
    reply: ReplyTo = _NOBODY,
) -> bytes:
    return build(
        message_id="dlv_1",
        sender_name=name,
        sender_address=sender,
        reply_to=reply,
        recipient=to,
        rendered=Rendered(subject=subject, text="Hi\n", html="<p>Hi</p>"),
        attachments=(),
        now=NOW,
    ).as_bytes()


def _raw_header_names(raw: bytes) -> list[str]:
    head = raw.split(b"\r\n\r\n", 1)[0].decode("ascii")
    return [line.split(":", 1)[0] for line in head.split("\r\n") if line and line[0] not in " \t"]


def test_the_corpus_has_at_least_five_hundred_entries() -> None:
    assert len(set(CORPUS)) >= 500


@pytest.mark.parametrize("place", ["name", "subject"])
def test_no_entry_of_the_corpus_adds_a_header_or_a_decoded_line_break(place: str) -> None:
    for entry in CORPUS:
        raw = _message(name=entry) if place == "name" else _message(subject=entry)
        names = _raw_header_names(raw)
        assert len(names) == len(set(names))
        assert set(names) <= HEADERS
        parsed = message_from_bytes(raw, policy=default_policy)
        assert parsed["Bcc"] is None
        for header in ("From", "Subject"):
            assert not set("\r\n\x00") & set(str(parsed[header]))


def test_no_entry_of_the_corpus_is_taken_as_an_address() -> None:
    for entry in CORPUS:
        for address in (entry, f"ann@example.com{entry}", f"{entry}@example.com"):
            if any(
                sign in address for sign in ("\r", "\n", ":", "=?", "\x00", "\x0b", "\x0c", "\x85", "\u2028", "\u2029")
            ):
                with pytest.raises(MessageRefused):
                    checked_address(address)


@given(st.text(max_size=300))
def test_any_text_makes_a_header_of_one_line(text: str) -> None:
    clean = header_text(text)

    assert "\n" not in clean
    assert "\r" not in clean
    assert "=?" not in clean
    assert len(clean) <= 150


@given(name=st.text(max_size=60), subject=st.text(max_size=120))
def test_any_agency_name_and_subject_make_a_message_that_reads_back(name: str, subject: str) -> None:
    raw = _message(name=name, subject=subject)
    assert set(_raw_header_names(raw)) <= HEADERS


@given(st.text(max_size=60))
def test_a_sender_that_was_read_before_is_written_as_at_first(name: str) -> None:
    assert _message(name=name) == _message(name=name)


@example("", "0000000000000000 000€€€€€€‘\U000f0000 €")  # a blank between two encoded words
@given(st.text(max_size=80) | st.text('üé佐 ,"<>@;:().\\', max_size=80), st.text(max_size=300))
def test_a_name_is_read_as_it_was_written_and_leads_to_one_address(name: str, subject: str) -> None:
    """As RFC 2047 §6.2 has it read: the blanks between encoded words are none of the text."""
    raw = _message(name=name, subject=subject, reply=ReplyTo(address="agent@bücher.example", name=name))
    head = message_from_bytes(raw, policy=compat32)
    for header, address in (("From", "no-reply@wayvault.example"), ("Reply-To", "agent@xn--bcher-kva.example")):
        ((shown, found),) = getaddresses([head[header].replace("\r\n", "")])
        assert found == address
        assert str(make_header(decode_header(shown))) == header_text(name, limit=80)
    assert str(make_header(decode_header(head["Subject"].replace("\r\n", "")))) == header_text(subject)
    assert max(map(len, raw.split(b"\r\n"))) <= 998


@pytest.mark.parametrize("drawn", ["ශ්‍රී ලංකා", "می‌خواهم سفر", "👨‍👩‍👧 Family Travel", "Zoë & Söhne"])
def test_what_a_name_is_drawn_with_stays(drawn: str) -> None:
    assert header_text(drawn) == drawn


@pytest.mark.parametrize("sender", ["no-reply@bücher.example", "no-reply@xn--bcher-kva.example"])
def test_mail_of_an_international_domain_can_be_written(sender: str) -> None:
    read = message_from_bytes(_message(sender=sender), policy=default_policy)
    assert read["From"].addresses[0].addr_spec == "no-reply@xn--bcher-kva.example"
    assert read["Message-ID"] == "<dlv_1@xn--bcher-kva.example>"
    assert NotifierSettings(mail_from=sender).mail_from == "no-reply@xn--bcher-kva.example"


def test_a_sender_that_is_no_address_is_refused_at_the_start() -> None:
    with pytest.raises(ValidationError):
        NotifierSettings(mail_from="Wayvault")


def test_a_message_has_text_html_and_its_attachment() -> None:
    message = build(
        message_id="dlv_1",
        sender_name="Harbour & Vine",
        sender_address="no-reply@wayvault.example",
        reply_to=ReplyTo(address="hello@harbour.example", name="Maya Okafor"),
        recipient="ann@example.com",
        rendered=Rendered(subject="Your copy", text="Hi\n", html="<p>Hi</p>"),
        attachments=[Attachment(name="signed.pdf", content=b"%PDF-1.7")],
        now=NOW,
    )
    read = message_from_bytes(message.as_bytes(), policy=default_policy)

    assert read["Message-ID"] == "<dlv_1@wayvault.example>"
    assert [part.get_content_type() for part in read.walk() if not part.is_multipart()] == [
        "text/plain",
        "text/html",
        "application/pdf",
    ]


@pytest.mark.parametrize(
    ("typed", "wire"),
    [
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"),
        ("ann@例え.jp", "ann@xn--r8jz45g.jp"),
        ("Ann.Lee+trip@Example.COM", "Ann.Lee+trip@example.com"),
    ],
)
def test_an_international_domain_becomes_idna(typed: str, wire: str) -> None:
    assert wire_address(typed) == wire


@pytest.mark.parametrize(
    ("address", "named"), [("zoë@example.com", "ë"), ("用户@例え.jp", "用"), ("ß@example.com", "ß")]
)
def test_an_address_that_needs_smtputf8_is_refused_naming_the_letter(address: str, named: str) -> None:
    with pytest.raises(AddressRefused, match=f"“{named}” before the @"):
        wire_address(address)


@given(st.emails())
def test_usual_addresses_pass_and_stay_as_they_are_on_the_wire(address: str) -> None:
    local, _, domain = address.rpartition("@")
    try:
        found = wire_address(address)
    except AddressRefused as error:
        # Beyond what RFC 5321 lets stand in a mailbox, or a name that IDNA does not know.
        found = str(error)
    assert found in (f"{local}@{domain.lower()}", EXAMPLE)


def test_an_answer_is_led_nowhere_rather_than_losing_the_mail() -> None:
    message = build(
        message_id="dlv_1",
        sender_name="Harbour & Vine",
        sender_address="no-reply@wayvault.example",
        reply_to=ReplyTo(address="not an address", name="Maya"),
        recipient="ann@example.com",
        rendered=Rendered(subject="Hi", text="Hi\n", html="<p>Hi</p>"),
        attachments=(),
        now=NOW,
    )
    assert message["Reply-To"] is None
