"""Rows of the payments room. Of the card: brand, last four, cardholder name, token (M13); nothing else comes here."""

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, false
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.portal.news import news
from services.portal.orm import Base


@news("payment_id", "client_id", "booking_id")
class PaymentRow(Base):
    """An authorized payment and the facts about it. A fact that comes before the authorization (events of
    different aggregates are not ordered) makes the row; `authorized_at` is empty until then, and stays so for a payment
    that did not come through the portal."""

    __tablename__ = "payments"
    __table_args__ = (
        # A client's list, and what is paid of a trip's segments.
        Index("ix_payments_client", "client_id", "told_at"),
        Index("ix_payments_booking", "booking_id"),
    )

    payment_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    link_id: Mapped[str] = mapped_column(String(40), default="", index=True)
    agency_id: Mapped[str] = mapped_column(String(40), default="")
    # Who pays, for what, how much: what lists and sums read. From the context, so empty until one is known.
    client_id: Mapped[str] = mapped_column(String(64), default="")
    booking_id: Mapped[str] = mapped_column(String(64), default="")
    segment_id: Mapped[str] = mapped_column(String(64), default="")
    amount_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    currency: Mapped[str] = mapped_column(String(3), default="")
    # What was given back of it in all (G2), and when last.
    refunded_minor: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    refunded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    is_fee: Mapped[bool] = mapped_column(default=False)
    # The agency's gateway charged or refunded it in its test mode: no money moved.
    test_mode: Mapped[bool] = mapped_column(default=False, server_default=false())
    # When the portal first heard of it: lists are ordered by it.
    told_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The context as the client authorized it: a later change in the CRM does not change what they signed.
    context: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    card_token: Mapped[str] = mapped_column(String(60), default="")
    brand: Mapped[str] = mapped_column(String(20), default="")
    last4: Mapped[str] = mapped_column(String(4), default="")
    cardholder_name: Mapped[str] = mapped_column(String(200), default="")
    billing_address: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    document_id: Mapped[str] = mapped_column(String(40), default="")
    authorized_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    card_kept_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cvv_kept_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    retrieved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    retrieved_by: Mapped[str] = mapped_column(String(200), default="")
    processed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    confirmation_number: Mapped[str] = mapped_column(String(200), default="")
    voided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    void_reason: Mapped[str] = mapped_column(String(1000), default="")
    fresh_link_follows: Mapped[bool] = mapped_column(default=False)
    lapsed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Of what was paid otherwise (rules.METHOD_WORDS); empty for a card through Wayvault.
    method: Mapped[str] = mapped_column(String(16), default="", server_default="")
    paid_on: Mapped[date | None]
    # What the client says of it (C6), until the agent has answered.
    reported_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    declined_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # A mistake that was taken back after it was processed.
    reversed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Why it was declined or taken back.
    answer: Mapped[str] = mapped_column(String(1000), default="", server_default="")
    card_removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class IntakeRow(Base):
    """A slot in the vault that was opened for a link, so that one link's form can't fill another's."""

    __tablename__ = "intakes"

    intake_id: Mapped[str] = mapped_column(String(60), primary_key=True)
    link_id: Mapped[str] = mapped_column(ForeignKey("links.link_id"), index=True)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
