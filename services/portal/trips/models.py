"""Rows of the trips room: a read model of the CRM's bookings."""

from datetime import date, datetime

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.portal.news import news
from services.portal.orm import Base


@news("booking_id")
class TripRow(Base):
    """A booking as the CRM last told of it."""

    __tablename__ = "trips"

    booking_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(String(64))
    agent_id: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(16))
    # Whether its travelers see it (rules.is_shown).
    shown: Mapped[bool]
    begins_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    # A serialized wayvault.events.v1.BookingSaved.
    snapshot: Mapped[bytes] = mapped_column(LargeBinary)
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # What calendars may still have of it (chassis.former_days.pack); NULL = nothing was ever removed.
    former_days: Mapped[list[dict[str, str]] | None] = mapped_column(JSON)


@news("client_id")
class TravelerRow(Base):
    """A client on a trip."""

    __tablename__ = "travelers"
    __table_args__ = (Index("ix_travelers_client", "client_id"),)

    booking_id: Mapped[str] = mapped_column(ForeignKey("trips.booking_id", ondelete="CASCADE"), primary_key=True)
    client_id: Mapped[str] = mapped_column(String(64), primary_key=True)
