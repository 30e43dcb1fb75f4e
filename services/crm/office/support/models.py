"""Rows of the support room."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.crm.core.news import news
from services.crm.orm import Base


@news
class TicketRow(Base):
    """A question to the agency's admins."""

    __tablename__ = "support_ticket"
    __table_args__ = (
        Index("ix_support_ticket_agent_state", "agent_id", "state", "changed_at"),
        Index("ix_support_ticket_agency_state", "agency_id", "state", "changed_at"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"))
    # Who asks.
    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"))
    subject: Mapped[str] = mapped_column(String(120))
    state: Mapped[str] = mapped_column(String(12))
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}


class TicketMessageRow(Base):
    """Something written on a ticket; never changed."""

    __tablename__ = "support_message"
    __table_args__ = (Index("ix_support_message_ticket_id_at", "ticket_id", "at"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    ticket_id: Mapped[str] = mapped_column(ForeignKey("support_ticket.id"))
    author_id: Mapped[str] = mapped_column(ForeignKey("agent.id"))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
