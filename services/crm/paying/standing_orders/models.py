"""Rows of the standing orders room."""

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.crm.core.news import news
from services.crm.orm import Base


@news
class StandingOrderRow(Base):
    """What a client authorizes once, and how far it has come. State changes go through rules.after only."""

    __tablename__ = "standing_order"
    __table_args__ = (
        Index("ix_standing_order_agent", "agent_id", "created_at", "id"),
        Index("ix_standing_order_agency", "agency_id", "created_at", "id"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"))
    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"))
    booking_id: Mapped[str] = mapped_column(ForeignKey("booking.id"), index=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id"), index=True)
    # Made with the form: one that is sent twice proposes once.
    request_key: Mapped[str] = mapped_column(String(64), unique=True)
    # The serialized wayvault.events.v1.PaymentContext of the proposal: what each day's payment begins with.
    context: Mapped[bytes] = mapped_column(LargeBinary)
    payer_name: Mapped[str] = mapped_column(String(200))
    purpose: Mapped[str] = mapped_column(String(200))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    # plan.Every; days are the agency's.
    every: Mapped[str] = mapped_column(String(16))
    first_on: Mapped[date]
    times: Mapped[int | None]
    until: Mapped[date | None]
    # How many days before each charge client and agent are told; 0: they are not.
    notice_days: Mapped[int]

    # rules.OrderState.
    state: Mapped[str] = mapped_column(String(16))
    # The number of its present day (0 is the first), and how many were charged.
    index: Mapped[int] = mapped_column("day_index", default=0)
    made: Mapped[int] = mapped_column(default=0)
    # The payment of the present day; before the signature that of the proposal.
    payment_id: Mapped[str | None] = mapped_column(ForeignKey("payment.id"), index=True)
    charge_on: Mapped[date | None]
    tries: Mapped[int] = mapped_column(default=0)
    faults: Mapped[int] = mapped_column(default=0)
    # The newest charge (its idempotency key) of which the order has heard how it ended.
    heard_key: Mapped[str] = mapped_column(String(64), default="")
    # Charging's name for the card that the gateway keeps, and what may be known of that card for ever.
    mandate_id: Mapped[str] = mapped_column(String(64), default="")
    card_brand: Mapped[str] = mapped_column(String(20), default="")
    card_last4: Mapped[str] = mapped_column(String(4), default="")
    # Whether its charges move real money: as its newest charge did, before the first as the gateway would. None: not
    # known of an order of an earlier release that was never charged.
    live: Mapped[bool | None]
    # Why the newest charge failed, or who cancelled, in words for the agent.
    note: Mapped[str] = mapped_column(String(300), default="")

    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    begun_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # When the worker looks at it next; None while there is nothing to do.
    act_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)


class StandingPaymentRow(Base):
    """Which payment was for which day. A day has several only where one ended without a charge."""

    __tablename__ = "standing_order_payment"
    __table_args__ = (Index("ix_standing_order_payment_order", "order_id"),)

    payment_id: Mapped[str] = mapped_column(ForeignKey("payment.id"), primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("standing_order.id"))
    index: Mapped[int] = mapped_column("day_index")
    due_on: Mapped[date]


class OldMandateRow(Base):
    """A card that the gateway keeps and is to forget: its order has ended, or has another card."""

    __tablename__ = "standing_order_old_mandate"

    mandate_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("standing_order.id"))
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"))
    try_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
