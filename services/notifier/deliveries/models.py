"""Rows of deliveries."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.notifier.orm import Base


class Delivery(Base):
    """One e-mail on its way.

    The content is kept as its source: the sealed letter as it came, or a template's name and data. Codes and links
    are opened at the moment of sending and are in no database of this service; what was sealed is wiped once sent.
    """

    __tablename__ = "deliveries"
    __table_args__ = (Index("ix_deliveries_due", "state", "next_attempt_at"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    # The event (and purpose) that asked for it: the same event never makes a second mail.
    source_key: Mapped[str] = mapped_column(String(120), unique=True)
    template: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(12))
    agency_id: Mapped[str] = mapped_column(String(64))
    # Empty for the vault's letters: where its codes go, nobody but the vault is to tell.
    address: Mapped[str] = mapped_column(String(320), default="")
    address_hint: Mapped[str] = mapped_column(String(320), default="")
    sealed_letter: Mapped[str | None] = mapped_column(Text)
    # JSON: what the template shows. No secrets.
    data: Mapped[str] = mapped_column(Text, default="{}")
    attachment_name: Mapped[str | None] = mapped_column(String(120))
    attachment: Mapped[bytes | None] = mapped_column(LargeBinary)
    # Where there are several: a serialized wayvault.events.v1.SignedCopies.
    copies: Mapped[bytes | None] = mapped_column(LargeBinary)
    payment_id: Mapped[str] = mapped_column(String(64), default="")
    link_id: Mapped[str] = mapped_column(String(64), default="")
    agent_id: Mapped[str] = mapped_column(String(64), default="")
    attempts: Mapped[int] = mapped_column(default=0)
    last_reason: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    next_attempt_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
