"""Rows of the room of mail outcomes."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.crm.core.news import news
from services.crm.orm import Base


@news
class FailureRow(Base):
    """A delivery that the notifier gave up."""

    __tablename__ = "mail_failure"
    __table_args__ = (
        Index("ix_mail_failure_agency_settled", "agency_id", "settled_at", "failed_at"),
        Index("ix_mail_failure_agent_settled", "agent_id", "settled_at", "failed_at"),
        Index("ix_mail_failure_link_id", "link_id"),
    )

    # The delivery's id: told again, it is the same row. The CRM's own ids look the same, so it can stand in an address.
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"))
    # Empty where the event named nobody: then it is the admins' to see to.
    agent_id: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(40))
    payment_id: Mapped[str] = mapped_column(String(64))
    link_id: Mapped[str] = mapped_column(String(64))
    # Masked; and whole where the notifier tells it.
    address_hint: Mapped[str] = mapped_column(String(320))
    address: Mapped[str] = mapped_column(String(320), default="", server_default="")
    # The client whom it was to reach, as far as payment or address tell; no foreign key, for a merge may take it.
    client_id: Mapped[str] = mapped_column(String(64), default="", server_default="", index=True)
    reason: Mapped[str] = mapped_column(String(300))
    failed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class PaymentMailRow(Base):
    """What became of an e-mail about a payment; kept as long as the payment. Written once."""

    __tablename__ = "payment_mail"

    # The delivery's id: told again, it is the same row.
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"))
    payment_id: Mapped[str] = mapped_column(String(64), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    # Empty for the vault's letters, whose addresses only the vault tells.
    address: Mapped[str] = mapped_column(String(320))
    # Why it did not arrive; empty when the recipient's mail server took it.
    problem: Mapped[str] = mapped_column(String(300))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
