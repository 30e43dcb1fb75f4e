"""Rows of the quotes room."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.crm.core.news import news
from services.crm.orm import Base


class RegistrationRow(Base):
    """A visitor who registered on an agent's public page, and the client they are. Registration and request are events
    of their own and may arrive in either order: whichever is first makes this row."""

    __tablename__ = "registration"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"))
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id"), index=True)
    registered_at: Mapped[datetime] = mapped_column(UtcDateTime)


@news
class QuoteRow(Base):
    """A request for a quote."""

    __tablename__ = "quote_request"
    __table_args__ = (Index("ix_quote_request_agent_state", "agent_id", "state", "asked_at"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"), index=True)
    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"))
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id"), index=True)
    # As typed into the form.
    name: Mapped[str] = mapped_column(String(170))
    email: Mapped[str] = mapped_column(String(254))
    phone: Mapped[str] = mapped_column(String(40))
    destination: Mapped[str] = mapped_column(String(200))
    begins_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    adults: Mapped[int]
    children: Mapped[int]
    budget: Mapped[str] = mapped_column(String(100))
    wishes: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(12))
    # Why it was declined, for the agent themselves.
    note: Mapped[str] = mapped_column(Text)
    booking_id: Mapped[str | None] = mapped_column(ForeignKey("booking.id"))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}
