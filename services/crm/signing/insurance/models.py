"""Rows of the insurance room."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.crm.core.news import news
from services.crm.core.together import PartColumns
from services.crm.orm import Base
from services.crm.signing.signed import SignedColumns


@news
class InsuranceOfferRow(PartColumns, Base):
    """One passenger's offer, with the exact text."""

    __tablename__ = "insurance_offer"
    __table_args__ = (
        Index("ix_insurance_offer_booking", "booking_id", "created_at"),
        Index("ix_insurance_offer_state_expiry", "state", "expires_at"),
    )

    client_id: Mapped[str] = mapped_column(ForeignKey("client.id"), index=True)
    booking_title: Mapped[str] = mapped_column(String(160))
    passenger_name: Mapped[str] = mapped_column(String(170))
    plan: Mapped[str] = mapped_column(String(120))
    price_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    text: Mapped[str] = mapped_column(Text)
    text_sha256: Mapped[str] = mapped_column(String(64))
    text_version: Mapped[str] = mapped_column(String(60))
    # The form's key and the client, hashed together: a form sent twice offers once to each.
    request_key: Mapped[str] = mapped_column(String(64), unique=True)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class InsuranceAnswerRow(SignedColumns, Base):
    """The signed answer to an offer."""

    __tablename__ = "insurance_answer"

    offer_id: Mapped[str] = mapped_column(ForeignKey("insurance_offer.id"), unique=True)
    accepted: Mapped[bool]
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)
