"""Keeps and reads the development mailbox."""

import base64
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as default_policy

from sqlalchemy import insert, select
from sqlalchemy.orm import defer

from chassis.clock import Clock
from chassis.db import Database
from chassis.ids import new_id
from services.notifier.deliveries.rules import Outcome, Sent
from services.notifier.mailbox.models import MailboxMessage

_INSERT = insert(MailboxMessage)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSummary:
    """A line of the list."""

    id: str
    received_at: datetime
    recipient: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailAttachment:
    """A file that came with a mail."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A whole message, its parts taken apart."""

    summary: MailSummary
    sender: str
    text: str
    html: str
    attachments: tuple[MailAttachment, ...]


class Mailbox:
    """Takes messages in (as a transport) and shows them, newest first."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def send(self, message: EmailMessage, recipient: str) -> Outcome:
        raw = message.as_bytes()
        # The delivery's own end is committed right after it, in the same database, and keeps this with it.
        with self._database.transaction(durable=False) as session:
            row = {
                "id": new_id("msg"),
                "received_at": self._clock.now(),
                "recipient": recipient,
                "subject": str(message["Subject"])[:300],
                "raw": raw,
            }
            session.connection().execute(_INSERT, row)
        return Sent()

    def let_go(self, *, all_of_it: bool = False) -> None:
        """Nothing is kept from one message to the next."""

    def newest(self, *, recipient: str = "", after: datetime | None = None, limit: int = 200) -> list[MailSummary]:
        """The latest messages, of one recipient or of all, received after a moment if one is given."""
        # Not the messages themselves: a list of them would be megabytes of attachments.
        query = (
            select(MailboxMessage)
            .options(defer(MailboxMessage.raw))
            .order_by(MailboxMessage.received_at.desc(), MailboxMessage.id)
            .limit(limit)
        )
        if recipient:
            query = query.where(MailboxMessage.recipient == recipient)
        if after is not None:
            query = query.where(MailboxMessage.received_at > after)
        with self._database.read() as session:
            return [_summary(row) for row in session.scalars(query)]

    def get(self, message_id: str) -> Mail | None:
        """One message; None when there is none by that id."""
        with self._database.read() as session:
            row = session.get(MailboxMessage, message_id)
            if row is None:
                return None
            summary, raw = _summary(row), row.raw
        message = message_from_bytes(raw, policy=default_policy)
        attachments = tuple(
            MailAttachment(name=part.get_filename() or "attachment", content=bytes(part.get_content()))
            for part in message.iter_attachments()
        )
        return Mail(
            summary=summary,
            sender=str(message["From"]),
            text=_body(message, "plain"),
            html=_with_pictures(message, _body(message, "html")),
            attachments=attachments,
        )


def _summary(row: MailboxMessage) -> MailSummary:
    return MailSummary(id=row.id, received_at=row.received_at, recipient=row.recipient, subject=row.subject)


def _with_pictures(message: EmailMessage, html: str) -> str:
    """The HTML with the pictures that came with it (RFC 2392), as a mail reader shows it."""
    for part in message.walk():
        name = str(part["Content-ID"] or "").strip("<>")
        if name and part.get_content_type() == "image/png":
            content = base64.b64encode(bytes(part.get_payload(decode=True) or b"")).decode()
            html = html.replace(f"cid:{name}", f"data:image/png;base64,{content}")
    return html


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part is not None else ""
