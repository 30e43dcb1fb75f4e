"""Rows of the payments room. Of a card only what may be kept forever: brand, last four, cardholder (M13)."""

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, false
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.crm.core.news import news
from services.crm.orm import Base
from services.crm.paying.payments.states_column import StateIs, read, written


@news
class PaymentRow(Base):
    """What one person is asked to pay, and what became of it. State changes go through rules.after only."""

    __tablename__ = "payment"
    __table_args__ = (
        # The alert's watcher and the payment report read by state and agent.
        Index("ix_payment_state_agent", "state", "agent_id", "authorized_at", "id"),
        Index("ix_payment_booking", "booking_id", "created_at", "id"),
        Index("ix_payment_payer", "payer_client_id", "created_at", "id"),
        # What was processed of each segment (the dashboard's dues).
        Index("ix_payment_segment", "segment_id", "state", "type", "amount_minor"),
        # The reports' sums by month and by client, which read nothing but these.
        *(
            Index(
                f"ix_payment_{whose}_closed",
                f"{whose}_id",
                "state",
                "currency",
                "closed_at",
                "amount_minor",
                "payer_client_id",
            )
            for whose in ("agent", "agency")
        ),
        Index("ix_payment_agent_opened", "agent_id", "state", "opened_at"),
        # What a supplier's number finds (C17).
        Index("ix_payment_confirmation", "agency_id", "confirmation_number"),
        Index("ix_payment_kept_until", "state", "card_kept_until"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"))
    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"))
    booking_id: Mapped[str] = mapped_column(ForeignKey("booking.id"))
    # No foreign key: a segment may be taken out of the booking, its payments stay.
    segment_id: Mapped[str] = mapped_column(String(64))
    payer_client_id: Mapped[str] = mapped_column(ForeignKey("client.id"))
    payer_name: Mapped[str] = mapped_column(String(200))
    payer_email: Mapped[str] = mapped_column(String(254))
    booking_title: Mapped[str] = mapped_column(String(160))
    supplier_name: Mapped[str] = mapped_column(String(120))
    # What counts: less what was given back, but for a reversed one, which counts for nothing (service.give_back).
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    refunded_minor: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    # Of one that the agency's gateway charged: whether real money moved; None for any other.
    charged_live: Mapped[bool | None]
    currency: Mapped[str] = mapped_column(String(3))
    type: Mapped[str] = mapped_column(String(16))
    purpose: Mapped[str] = mapped_column(String(200))
    due_on: Mapped[date | None]
    # The state in two columns (states_column); everybody reads and writes it as `state`.
    former_state: Mapped[str] = mapped_column("state", String(16))
    exact_state: Mapped[str | None] = mapped_column("state_now", String(16))
    # The serialized wayvault.events.v1.PaymentContext of the moment the client was asked: what later events repeat.
    context: Mapped[bytes] = mapped_column(LargeBinary)
    # The standing order that it is a charge of; empty for any other.
    standing_order_id: Mapped[str] = mapped_column(String(64), default="", server_default="")
    replaces_payment_id: Mapped[str | None] = mapped_column(String(64), index=True)
    # The client started or reported it in the portal (P3, C6): nobody sent a link.
    self_service: Mapped[bool] = mapped_column(default=False)
    # The client keyed the card during a call (T4).
    by_phone: Mapped[bool] = mapped_column(default=False, server_default=false())
    # rules.Method; of those that were recorded, the day on which they were made.
    method: Mapped[str] = mapped_column(String(16), default="card", server_default="card")
    paid_on: Mapped[date | None]

    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    authorized_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    retrieved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    card_token: Mapped[str | None] = mapped_column(String(64), unique=True)
    card_brand: Mapped[str] = mapped_column(String(20), default="")
    card_last4: Mapped[str] = mapped_column(String(4), default="")
    cardholder_name: Mapped[str] = mapped_column(String(100), default="")
    billing_line1: Mapped[str] = mapped_column(String(200), default="")
    billing_line2: Mapped[str] = mapped_column(String(200), default="")
    billing_city: Mapped[str] = mapped_column(String(100), default="")
    billing_region: Mapped[str] = mapped_column(String(100), default="")
    billing_postal_code: Mapped[str] = mapped_column(String(20), default="")
    billing_country: Mapped[str] = mapped_column(String(2), default="")
    card_kept_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cvv_kept_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cvv_shown_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lapse_warned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # When the vault said that the card is gone, and why: processed, voided, by_hand, lapsed.
    card_removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    card_removal_reason: Mapped[str] = mapped_column(String(16), default="")

    confirmation_number: Mapped[str] = mapped_column(String(60), default="")
    close_note: Mapped[str] = mapped_column(String(500), default="")
    document_id: Mapped[str] = mapped_column(String(64), default="")

    @hybrid_property
    def state(self) -> str:
        """rules.PaymentState."""
        return read(self.former_state, self.exact_state)

    @state.inplace.setter
    def _set_state(self, state: str) -> None:
        self.former_state, self.exact_state = written(state)

    @state.inplace.comparator
    @classmethod
    def _state_is(cls) -> StateIs:
        return StateIs(cls.former_state.expression, cls.exact_state.expression)


class SignedDocumentRow(Base):
    """A signed authorization with its evidence page, kept forever (M13)."""

    __tablename__ = "signed_document"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"), index=True)
    # No foreign key: the events of payment and document are of different aggregates and may arrive in either order.
    payment_id: Mapped[str] = mapped_column(String(64), index=True)
    title: Mapped[str] = mapped_column(String(200))
    signer_name: Mapped[str] = mapped_column(String(200))
    # drawn or typed.
    signature_kind: Mapped[str] = mapped_column(String(10))
    terms_version: Mapped[str] = mapped_column(String(40))
    terms_sha256: Mapped[str] = mapped_column(String(64))
    signed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ip: Mapped[str] = mapped_column(String(64))
    pdf: Mapped[bytes] = mapped_column(LargeBinary)
    pdf_sha256: Mapped[str] = mapped_column(String(64))
