"""Rows of the merging room."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.crm.orm import Base


class ClientMergeRow(Base):
    """Who merged what and when, kept forever. The ids are those of that moment: they don't follow a later merge."""

    __tablename__ = "client_merge"
    __table_args__ = (Index("ix_client_merge_at", "at"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"), index=True)
    # The agent who did it, with the name they had then.
    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"))
    agent_name: Mapped[str] = mapped_column(String(120))
    kept_client_id: Mapped[str] = mapped_column(ForeignKey("client.id"), index=True)
    kept_name: Mapped[str] = mapped_column(String(170))
    merged_client_id: Mapped[str] = mapped_column(ForeignKey("client.id"), unique=True)
    merged_name: Mapped[str] = mapped_column(String(170))
    # JSON: what stood in the fields whose value was given up, and how many things of each kind followed.
    given_up: Mapped[str] = mapped_column(Text)
    followed: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
