"""Rows of the development mailbox."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.notifier.orm import Base


class MailboxMessage(Base):
    """One message as a mail server would have got it. Development only: it holds what the mail holds."""

    __tablename__ = "mailbox_messages"
    __table_args__ = (Index("ix_mailbox_messages_recipient", "recipient", "received_at"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recipient: Mapped[str] = mapped_column(String(320))
    subject: Mapped[str] = mapped_column(String(300))
    raw: Mapped[bytes] = mapped_column(LargeBinary)
