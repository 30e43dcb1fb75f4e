"""Rows of the bookings room. Amounts are minor units of the booking's currency."""

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from chassis.db import UtcDateTime
from services.crm.orm import Base

# Stands last in a list by departure.
NO_DEPARTURE = date(9999, 12, 31)


class BookingRow(Base):
    """A trip, owned by one agent. `version` counts changes of the booking, its segments and its passengers."""

    __tablename__ = "booking"
    __table_args__ = (
        # An agent's lists, and those of an admin, who sees the agency's.
        Index("ix_booking_agent_updated", "agent_id", "updated_at", "id"),
        Index("ix_booking_agency_updated", "agency_id", "updated_at", "id"),
        Index("ix_booking_agent_departs", "agent_id", "departs_on", "id"),
        Index("ix_booking_agency_departs", "agency_id", "departs_on", "id"),
        Index("ix_booking_agent_status", "agent_id", "status"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"), index=True)
    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"))
    title: Mapped[str] = mapped_column(String(160))
    status: Mapped[str] = mapped_column(String(16))
    currency: Mapped[str] = mapped_column(String(3))
    service_fee_minor: Mapped[int | None] = mapped_column(BigInteger)
    service_fee_description: Mapped[str] = mapped_column(String(200))
    notes: Mapped[str] = mapped_column(Text)
    # The first day of the first segment, or NO_DEPARTURE: lists are ordered by it.
    departs_on: Mapped[date] = mapped_column(default=NO_DEPARTURE)
    # What search looks through: title, suppliers and confirmation numbers in lower case.
    search_text: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column()

    segments: Mapped[list["SegmentRow"]] = relationship(
        order_by="SegmentRow.position", cascade="all, delete-orphan", lazy="selectin"
    )
    passengers: Mapped[list["PassengerRow"]] = relationship(
        order_by="PassengerRow.position", cascade="all, delete-orphan", lazy="selectin"
    )

    # Counted by the service: a change of segments or passengers alone must count too.
    __mapper_args__ = {"version_id_col": version, "version_id_generator": False}


class SegmentRow(Base):
    """One supplier's part of a trip, with what it costs and when it must be paid."""

    __tablename__ = "segment"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    booking_id: Mapped[str] = mapped_column(ForeignKey("booking.id", ondelete="CASCADE"), index=True)
    # Order by begin, kept so that equal dates stay where they were put.
    position: Mapped[int]
    supplier_name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(16))
    confirmation_number: Mapped[str] = mapped_column(String(60))
    description: Mapped[str] = mapped_column(String(300))
    begins_on: Mapped[date | None] = mapped_column(index=True)
    ends_on: Mapped[date | None]
    price_minor: Mapped[int | None] = mapped_column(BigInteger)
    deposit_minor: Mapped[int | None] = mapped_column(BigInteger)
    deposit_due_on: Mapped[date | None]
    final_minor: Mapped[int | None] = mapped_column(BigInteger)
    final_due_on: Mapped[date | None]
    commission_minor: Mapped[int | None] = mapped_column(BigInteger)


class PassengerRow(Base):
    """A client who travels on a booking. The one at position 0 is the lead."""

    __tablename__ = "passenger"
    __table_args__ = (UniqueConstraint("booking_id", "client_id"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    booking_id: Mapped[str] = mapped_column(ForeignKey("booking.id", ondelete="CASCADE"), index=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id"), index=True)
    position: Mapped[int]
