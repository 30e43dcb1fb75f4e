"""Rows of the links room."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.crm.core.news import news
from services.crm.core.together import PartColumns
from services.crm.orm import Base


@news
class PaymentLinkRow(PartColumns, Base):
    """The link that asks one person for one payment."""

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

    payment_id: Mapped[str] = mapped_column(ForeignKey("payment.id"), unique=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"), index=True)
    state: Mapped[str] = mapped_column(String(16))
    request_key: Mapped[str] = mapped_column(String(64))
    terms_text: Mapped[str] = mapped_column(Text)
    terms_version: Mapped[str] = mapped_column(String(40))
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    submitted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column("revoked_at", UtcDateTime)
