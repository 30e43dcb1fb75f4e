"""Rows of the links room."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.crm.core.news import news
from services.crm.orm import Base


@news
class PaymentLinkRow(Base):
    """The link that asks one person for one payment. Tokens are never kept, only the newest one's SHA-256."""

    __tablename__ = "payment_link"
    __table_args__ = (
        # A form sent twice (double click, reload) makes one link per person.
        UniqueConstraint("request_key", "client_id"),
        Index("ix_payment_link_state_expiry", "state", "expires_at"),
        Index("ix_payment_link_booking", "booking_id"),
        # The overview: an agent's links, and those of an admin, who sees the agency's; all of them, or of one state.
        *(
            Index(f"ix_payment_link_{whose}_{order}", f"{whose}_id", *columns, "created_at", "id")
            for whose in ("agent", "agency")
            for order, columns in (("created", ()), ("state", ("state",)))
        ),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    payment_id: Mapped[str] = mapped_column(ForeignKey("payment.id"), unique=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"), index=True)
    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"))
    booking_id: Mapped[str] = mapped_column(ForeignKey("booking.id"))
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id"))
    email: Mapped[str] = mapped_column(String(254))
    state: Mapped[str] = mapped_column(String(16))
    request_key: Mapped[str] = mapped_column(String(64))
    token_sha256: Mapped[str] = mapped_column(String(64))
    # 1 for the first e-mail, one more for each time it was sent again.
    issue: Mapped[int]
    terms_text: Mapped[str] = mapped_column(Text)
    terms_version: Mapped[str] = mapped_column(String(40))
    # Why the last e-mail could not be delivered, in plain words; empty when nothing is wrong.
    delivery_problem: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    submitted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
