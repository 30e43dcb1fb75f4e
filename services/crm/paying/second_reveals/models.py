"""Rows of the second reveals room."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.crm.core.for_admins import ForAdminsColumns
from services.crm.core.news import news
from services.crm.orm import Base


@news
class SecondRevealRow(ForAdminsColumns, Base):
    """What an agent asked for and an admin decided, as the vault has it too. `id` is the vault's."""

    __tablename__ = "second_reveal"
    __table_args__ = (Index("ix_second_reveal_payment", "payment_id", "requested_at"),)

    agency_id: Mapped[str] = mapped_column(String(64), index=True)
    # When the request ends or, once it is approved, the approval.
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # The approver's word to the agent, when they refused.
    word: Mapped[str] = mapped_column(String(200), default="")
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
