"""What the CRM knows of a payment's charge; the program `charging` has the books."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.crm.core.for_admins import ForAdminsColumns
from services.crm.core.news import news
from services.crm.orm import Base


@news
class PaymentChargeRow(Base):
    """The newest charge of a payment. Written before it is asked for, so that a crash leaves something to look into."""

    __tablename__ = "payment_charge"
    __table_args__ = (Index("ix_payment_charge_open", "check_at"),)

    payment_id: Mapped[str] = mapped_column(ForeignKey("payment.id"), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"), index=True)
    agent_id: Mapped[str] = mapped_column(String(64))
    # The idempotency key at charging.
    request_key: Mapped[str] = mapped_column(String(64), unique=True)
    charge_id: Mapped[str] = mapped_column(String(64), default="")
    # The charge before this one, which came to nothing: what charging says of it is no news.
    previous_charge_id: Mapped[str] = mapped_column(String(64), default="")
    # core.ports.charging.ChargeState.
    state: Mapped[str] = mapped_column(String(16))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    refunded_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    gateway: Mapped[str] = mapped_column(String(20), default="")
    live: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[str] = mapped_column(String(300), default="")
    next_step: Mapped[str] = mapped_column(String(300), default="")
    # For standing orders: charging's code, whether the same card may be tried again, and the card at the gateway.
    reason_code: Mapped[str] = mapped_column(String(64), default="", server_default="")
    may_pass: Mapped[bool] = mapped_column(default=False, server_default=false())
    mandate_id: Mapped[str] = mapped_column(String(64), default="", server_default="")
    client_url: Mapped[str] = mapped_column(Text, default="")
    # The link that the client was mailed last.
    mailed_url: Mapped[str] = mapped_column(Text, default="", server_default="")
    reference: Mapped[str] = mapped_column(String(255), default="")
    ip: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(300))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # When the worker asks charging next; None while there is nothing to find out.
    check_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


@news
class PaymentRefundRow(Base):
    """Money that an agent wants given back. Written before charging is asked, and asked for until there is an answer:
    `id` is the idempotency key, so it is given back once."""

    __tablename__ = "payment_refund"
    __table_args__ = (
        UniqueConstraint("payment_id", "number"),
        Index("ix_payment_refund_open", "check_at"),
        Index(
            "ix_payment_refund_needs_agent",
            "agent_id",
            postgresql_where=text("needs_agent"),
            sqlite_where=text("needs_agent"),
        ),
    )

    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    payment_id: Mapped[str] = mapped_column(ForeignKey("payment.id"))
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"), index=True)
    agent_id: Mapped[str] = mapped_column(String(64))
    charge_id: Mapped[str] = mapped_column(String(64))
    # 1, 2, 3 … within the payment: a page that knows of fewer is out of date.
    number: Mapped[int]
    # Charging's id; empty until it answered.
    refund_id: Mapped[str] = mapped_column(String(64), default="")
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(String(200))
    # core.ports.charging.RefundState.
    state: Mapped[str] = mapped_column(String(16))
    problem: Mapped[str] = mapped_column(String(300), default="")
    ip: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(300))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # When the worker asks charging next; None when there is nothing left to ask.
    check_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The admin without whom it would not have been asked for; empty where none was needed.
    approved_by: Mapped[str] = mapped_column(String(64), default="", server_default="")
    # It failed while nobody looked, and the agent has not yet said that they took care of it.
    needs_agent: Mapped[bool] = mapped_column(default=False, server_default=false())


@news
class RefundRequestRow(ForAdminsColumns, Base):
    """A refund that waits for another admin's word. No row in `payment_refund` before it is approved, so nothing that
    carries refunds out knows of it."""

    __tablename__ = "refund_request"
    __table_args__ = (
        Index("ix_refund_request_agency", "agency_id", "requested_at"),
        Index("ix_refund_request_payment", "payment_id", "requested_at"),
        # Two clicks ask once.
        Index(
            "uq_refund_request_open",
            "payment_id",
            unique=True,
            postgresql_where=text("state = 'requested'"),
            sqlite_where=text("state = 'requested'"),
        ),
    )

    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    ip: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(300))
    # The admin's word to the agent.
    word: Mapped[str] = mapped_column(String(200), default="")
