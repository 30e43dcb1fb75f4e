"""Rows of the tasks room."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.crm.core.news import news
from services.crm.orm import Base


@news
class TaskRow(Base):
    """One thing to do for one client."""

    __tablename__ = "task"
    __table_args__ = (Index("ix_task_agent_open", "agent_id", "done_at", "due_on"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"))
    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"))
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id"), index=True)
    title: Mapped[str] = mapped_column(String(200))
    due_on: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
