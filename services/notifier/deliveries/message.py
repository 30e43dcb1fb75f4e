"""Builds an RFC 5322 message that nobody can smuggle headers into."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime
from functools import lru_cache
from typing import Any, Final

from chassis.mail_addresses import AddressRefused, wire_address
from chassis.typed.text import clean_line
from protos.wayvault.events.v1.events_pb2 import SignedCopies, SignedCopy
from services.notifier.templates.rules import LOGO_ID, Rendered

# What says how a mail is put together is the same in every mail.
_OF_EVERY_MAIL: Final = frozenset(
    {
        "auto-submitted",
        "content-disposition",
        "content-id",
        "content-transfer-encoding",
        "content-type",
        "mime-version",
    }
)
# Whom mails come from and go to: agencies, agents and clients who get several.
_WITH_ADDRESSES: Final = frozenset({"from", "reply-to", "to"})
# Between the parts. "=_" can stand in no text that is encoded as quoted-printable or base64, as all of them are
# (RFC 2045 §6.7).
_BOUNDARIES: Final = {name: f"=_wayvault_{name}" for name in ("versions", "html", "whole")}


class _Policy(EmailPolicy):
    """Reads and folds the headers that many mails share once: that cost half of a mail's time."""

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:  # Any: as in EmailPolicy
        if isinstance(value, str) and name.lower() in _OF_EVERY_MAIL:
            return name, _read_once(name, value)
        if isinstance(value, Address) and name.lower() in _WITH_ADDRESSES:
            return name, _read_address_once(name, value.display_name, value.username, value.domain)
        return super().header_store_parse(name, value)

    def fold_binary(self, name: str, value: Any) -> bytes:
        if name.lower() in _OF_EVERY_MAIL:
            return _folded_once(name, str(value))
        if name.lower() in _WITH_ADDRESSES and not str(value).isascii():
            return _mailbox_folded_once(name, value.addresses[0].display_name, value.addresses[0].addr_spec)
        if name.lower() == "subject" and not str(value).isascii():
            return f"{name}: {_in_words(name, str(value))}{SMTP.linesep}".encode("ascii")
        return super().fold_binary(name, value)


# Lines end as on the wire and no byte is over 127, so that every server can carry it on (RFC 6152 is not asked for).
_PLAIN: Final = SMTP.clone(cte_type="7bit")
SMTP_SAFE: Final = _Policy(linesep=SMTP.linesep, cte_type="7bit")


@lru_cache(maxsize=256)
def _read_once(name: str, value: str) -> Any:  # Any: a header of email.headerregistry
    return _PLAIN.header_store_parse(name, value)[1]


@lru_cache(maxsize=1024)
def _read_address_once(name: str, display_name: str, username: str, domain: str) -> Any:  # Any: as above
    return _PLAIN.header_store_parse(name, Address(display_name=display_name, username=username, domain=domain))[1]


@lru_cache(maxsize=256)
def _folded_once(name: str, value: str) -> bytes:
    return _PLAIN.fold_binary(name, _read_once(name, value))


@lru_cache(maxsize=1024)
def _mailbox_folded_once(name: str, display_name: str, address: str) -> bytes:
    return f"{name}: {_in_words(name, display_name)}{SMTP.linesep} <{address}>{SMTP.linesep}".encode("ascii")


def _in_words(name: str, text: str) -> str:
    """A text beyond ASCII, all of it in encoded words: email's own folding parts it and loses a blank in between."""
    return Header(text, "utf-8", header_name=name).encode(linesep=SMTP.linesep)


class MessageRefused(ValueError):
    """An address or header that can't be used; the text is safe to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A PDF that goes with a mail."""

    name: str
    content: bytes


def packed(attachments: Sequence[Attachment]) -> bytes:
    """Several attachments as one column keeps them."""
    copies = (SignedCopy(name=each.name, pdf=each.content) for each in attachments)
    return SignedCopies(copies=copies).SerializeToString()


def unpacked(copies: bytes) -> tuple[Attachment, ...]:
    """What `packed` made one of."""
    return tuple(Attachment(name=each.name, content=each.pdf) for each in SignedCopies.FromString(copies).copies)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyTo:
    """Who gets an answer to the mail. An empty address: nobody is named."""

    address: str = ""
    name: str = ""


def header_text(value: str, *, limit: int = 150) -> str:
    """A person's words made fit for a header.

    Line breaks become spaces and what nobody sees goes, but for the joiners that letters need; whatever could be read
    as an encoded word (RFC 2047 §2) loses the marks that make it one, so that nothing hidden in a name is decoded on
    the reader's side.
    """
    line = clean_line(value).replace("=?", "= ?").replace("?=", "? =")
    return " ".join(line.split())[:limit].strip()


def checked_address(address: str) -> str:
    """The address as it goes over the wire. Raises MessageRefused for one that no mail can be sent to."""
    try:
        return wire_address(address)
    except AddressRefused as error:
        raise MessageRefused("That is not an e-mail address that mail can be sent to.") from error


def build(
    *,
    message_id: str,
    sender_name: str,
    sender_address: str,
    reply_to: ReplyTo,
    recipient: str,
    rendered: Rendered,
    attachments: Sequence[Attachment],
    now: datetime,
    logo: bytes = b"",
) -> EmailMessage:
    """The message. `message_id` is derived from the delivery, so that a second copy after a crash is recognisable.

    `logo` is a PNG that the HTML shows as `cid:LOGO_ID`: it comes with the mail, so no reader asks a server for it.
    """
    message = EmailMessage(policy=SMTP_SAFE)
    to, by = checked_address(recipient), checked_address(sender_address)
    message["From"] = _mailbox(header_text(sender_name, limit=80), by)
    message["To"] = _mailbox("", to)
    if answers := _answers_to(reply_to):
        message["Reply-To"] = answers
    message["Subject"] = header_text(rendered.subject)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{message_id}@{by.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(rendered.text, cte="quoted-printable")
    message.make_alternative(_BOUNDARIES["versions"])
    message.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
    html = message.get_body(("html",))
    if logo and isinstance(html, EmailMessage):
        html.make_related(_BOUNDARIES["html"])
        html.add_related(logo, "image", "png", cid=f"<{LOGO_ID}>", disposition="inline", filename="logo.png")
    if attachments:
        message.make_mixed(_BOUNDARIES["whole"])
    for attachment in attachments:
        message.add_attachment(
            attachment.content, maintype="application", subtype="pdf", filename=header_text(attachment.name, limit=80)
        )
    return message


def _answers_to(reply_to: ReplyTo) -> Address | None:
    """An address that can't be used here is left out: the mail itself is worth more than its answer."""
    try:
        return _mailbox(header_text(reply_to.name, limit=80), checked_address(reply_to.address))
    except MessageRefused:
        return None


def _mailbox(name: str, address: str) -> Address:
    local, _, domain = address.rpartition("@")
    try:
        return Address(display_name=name, username=local, domain=domain)
    except (ValueError, IndexError) as error:
        raise MessageRefused("That name or address can't stand in a mail's header.") from error
