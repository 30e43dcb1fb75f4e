"""Rows of the clients room."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.crm.orm import Base


class ClientRow(Base):
    """A traveler, owned by one agent."""

    __tablename__ = "client"
    __table_args__ = (Index("ix_client_agent_name", "agent_id", "last_name", "first_name"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"), index=True)
    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"))
    first_name: Mapped[str] = mapped_column(String(80))
    last_name: Mapped[str] = mapped_column(String(80))
    email: Mapped[str] = mapped_column(String(254))
    phone: Mapped[str] = mapped_column(String(40))
    second_phone: Mapped[str] = mapped_column(String(40))
    birthday: Mapped[date | None]
    street: Mapped[str] = mapped_column(String(200))
    city: Mapped[str] = mapped_column(String(100))
    region: Mapped[str] = mapped_column(String(100))
    postal_code: Mapped[str] = mapped_column(String(20))
    # ISO 3166-1 alpha-2, or empty.
    country: Mapped[str] = mapped_column(String(2))
    notes: Mapped[str] = mapped_column(Text)
    # What search looks through: names and address folded (no accents, lower case), telephone numbers as digits.
    search_text: Mapped[str] = mapped_column(String(700))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}
