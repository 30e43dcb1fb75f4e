"""Rows of the second reveals room."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.crm.core.news import news
from services.crm.orm import Base


@news
class SecondRevealRow(Base):
    """What an agent asked for and an admin decided, as the vault has it too. `id` is the vault's."""

    __tablename__ = "second_reveal"
    __table_args__ = (Index("ix_second_reveal_payment", "payment_id", "requested_at"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    payment_id: Mapped[str] = mapped_column(ForeignKey("payment.id"))
    agency_id: Mapped[str] = mapped_column(String(64), index=True)
    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"))
    state: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(String(200))
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # When the request ends or, once it is approved, the approval.
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_by: Mapped[str | None] = mapped_column(ForeignKey("agent.id"))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The approver's word to the agent, when they refused.
    word: Mapped[str] = mapped_column(String(200), default="")
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
