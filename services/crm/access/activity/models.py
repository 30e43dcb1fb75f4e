"""Rows of the activity room."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.crm.orm import Base


class ActivityRow(Base):
    """Something done in the office that an admin may want to look up later. Written once, never changed."""

    __tablename__ = "activity"
    __table_args__ = (
        Index("ix_activity_agency_at", "agency_id", "at"),
        Index("ix_activity_actor_at", "actor_id", "at"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"))
    actor_id: Mapped[str] = mapped_column(ForeignKey("agent.id"))
    act: Mapped[str] = mapped_column(String(40))
    about: Mapped[str] = mapped_column(String(200))
    ip: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(300))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
