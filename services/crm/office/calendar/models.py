"""Rows of the calendar room."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.crm.orm import Base


class CalendarFeedRow(Base):
    """The address under which other calendars read an agent's days; without a row there is none."""

    __tablename__ = "calendar_feed"

    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"), primary_key=True)
    # Of the secret in the address; nobody can read the address itself again.
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # What was told last, what of it is gone since (chassis.former_days.pack), and how often it changed.
    told: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    gone: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    digest: Mapped[str] = mapped_column(String(64))
    sequence: Mapped[int]
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Reads since that moment, for the limit.
    counted_from: Mapped[datetime] = mapped_column(UtcDateTime)
    reads: Mapped[int]
    # NULL: never.
    last_read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_reader: Mapped[str] = mapped_column(String(200))
