"""Rows of the CVV requests room."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.crm.orm import Base


class CvvRequestRow(Base):
    """A link by which the client gives the CVV of a stored card once more. Its token is kept hashed."""

    __tablename__ = "cvv_request"
    __table_args__ = (Index("ix_cvv_request_payment", "payment_id", "issued_at"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    payment_id: Mapped[str] = mapped_column(ForeignKey("payment.id"))
    agency_id: Mapped[str] = mapped_column(String(64))
    card_token: Mapped[str] = mapped_column(String(64))
    email: Mapped[str] = mapped_column(String(254))
    state: Mapped[str] = mapped_column(String(12))
    token_sha256: Mapped[str] = mapped_column(String(64))
    # Made with the page: a double click asks once.
    request_key: Mapped[str] = mapped_column(String(64), unique=True)
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    supplied_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    delivery_problem: Mapped[str] = mapped_column(String(300), default="")
