"""Rows of the recording room."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.crm.orm import Base


class PaymentActRow(Base):
    """What somebody did with a recorded payment, or took back. Written once, never changed: the payment's own audit."""

    __tablename__ = "payment_act"
    __table_args__ = (
        # A form sent twice (double click, reload) records once.
        UniqueConstraint("request_key"),
        Index("ix_payment_act_payment", "payment_id", "at", "id"),
    )

    # A UUIDv7, so that acts of the same moment keep their order.
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    payment_id: Mapped[str] = mapped_column(ForeignKey("payment.id"))
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"), index=True)
    act: Mapped[str] = mapped_column(String(16))
    # The agent who did it; empty where it was the client.
    agent_id: Mapped[str] = mapped_column(String(64))
    who: Mapped[str] = mapped_column(String(200))
    # What the act adds to what is paid, in minor units of the payment's currency; a reversal takes the same away.
    effect_minor: Mapped[int] = mapped_column(BigInteger)
    why: Mapped[str] = mapped_column(String(500))
    ip: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    request_key: Mapped[str | None] = mapped_column(String(64))
