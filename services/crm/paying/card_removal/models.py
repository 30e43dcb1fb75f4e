"""Rows of the custody room."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.crm.orm import Base


class CardRemovalRow(Base):
    """A card that the vault has to destroy: the CRM's worker asks until the vault says that it is done."""

    __tablename__ = "card_removal"
    __table_args__ = (Index("ix_card_removal_next", "removed_at", "next_try_at"),)

    card_token: Mapped[str] = mapped_column(String(64), primary_key=True)
    payment_id: Mapped[str] = mapped_column(ForeignKey("payment.id"), index=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"))
    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"))
    # processed, voided, by_hand.
    reason: Mapped[str] = mapped_column(String(16))
    wanted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    next_try_at: Mapped[datetime] = mapped_column(UtcDateTime)
    tries: Mapped[int]
    # What stood in the way at the last try, in plain words.
    last_problem: Mapped[str] = mapped_column(String(300), default="")
    # From where the agent asked, for the vault's audit trail.
    ip: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(300))
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
