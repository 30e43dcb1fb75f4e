"""Rows of the bookings room. Amounts are minor units of the booking's currency."""

from datetime import date, datetime

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from chassis.db import UtcDateTime
from services.crm.core.search import TITLE_KEY, WORD
from services.crm.orm import Base

# Stands last in a list by departure.
NO_DEPARTURE = date(9999, 12, 31)


class BookingRow(Base):
    """A trip, owned by one agent. `version` counts changes of the booking, its segments and its passengers."""

    __tablename__ = "booking"
    __table_args__ = (
        # An agent's lists, and those of an admin, who sees the agency's.
        *(
            Index(f"ix_booking_{whose}_{order}", f"{whose}_id", *columns, "id")
            for whose in ("agent", "agency")
            for order, columns in (
                ("updated", ("updated_at",)),
                ("departs", ("departs_on",)),
                ("title", ("title_folded",)),
                ("status_updated", ("status", "updated_at")),
                ("status_departs", ("status", "departs_on")),
                ("status_title", ("status", "title_folded")),
                # Commissions by month of travel.
                ("status_currency", ("status", "currency", "departs_on")),
            )
        ),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"))
    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"))
    title: Mapped[str] = mapped_column(String(160))
    # chassis.typed.names.title_key: lists are ordered by it.
    title_folded: Mapped[str] = mapped_column(TITLE_KEY, default="")
    status: Mapped[str] = mapped_column(String(16))
    currency: Mapped[str] = mapped_column(String(3))
    service_fee_minor: Mapped[int | None] = mapped_column(BigInteger)
    service_fee_description: Mapped[str] = mapped_column(String(200))
    notes: Mapped[str] = mapped_column(Text)
    # The first day of the first segment, or NO_DEPARTURE: lists are ordered by it.
    departs_on: Mapped[date] = mapped_column(default=NO_DEPARTURE)
    # rules.search_words, each after a blank: what search reads where many are found (services.crm.core.search).
    search_text: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column()
    # What calendars may still have of it (chassis.former_days.pack); NULL = nothing was ever removed.
    former_days: Mapped[list[dict[str, str]] | None] = mapped_column(JSON)

    segments: Mapped[list["SegmentRow"]] = relationship(
        order_by="SegmentRow.position", cascade="all, delete-orphan", lazy="selectin"
    )
    passengers: Mapped[list["PassengerRow"]] = relationship(
        order_by="PassengerRow.position", cascade="all, delete-orphan", lazy="selectin"
    )

    words: Mapped[list["BookingWordRow"]] = relationship(cascade="all, delete-orphan")

    # Counted by the service: a change of segments or passengers alone must count too.
    __mapper_args__ = {"version_id_col": version, "version_id_generator": False}


class BookingWordRow(Base):
    """A word that a booking is found by: what search looks up where few are found."""

    __tablename__ = "booking_word"
    __table_args__ = (Index("ix_booking_word_found", "agency_id", "word", "agent_id", "booking_id"),)

    booking_id: Mapped[str] = mapped_column(ForeignKey("booking.id", ondelete="CASCADE"), primary_key=True)
    word: Mapped[str] = mapped_column(WORD, primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"))
    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"))


class SegmentRow(Base):
    """One supplier's part of a trip, with what it costs and when it must be paid."""

    __tablename__ = "segment"
    __table_args__ = (
        # With the commission, so that a report's sum reads nothing but the index.
        Index("ix_segment_booking", "booking_id", "commission_minor"),
        # A trip's last day, for the calendar.
        Index("ix_segment_ends", "booking_id", "cancelled_at", "ends_on"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    booking_id: Mapped[str] = mapped_column(ForeignKey("booking.id", ondelete="CASCADE"))
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
    deposit_due_on: Mapped[date | None] = mapped_column(index=True)
    final_minor: Mapped[int | None] = mapped_column(BigInteger)
    final_due_on: Mapped[date | None] = mapped_column(index=True)
    commission_minor: Mapped[int | None] = mapped_column(BigInteger)
    # Of a cancelled segment; its commission is kept here, since none is expected of it any more.
    cancelled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancel_reason: Mapped[str] = mapped_column(String(300), default="", server_default="")
    penalty_minor: Mapped[int | None] = mapped_column(BigInteger)
    refund_due_minor: Mapped[int | None] = mapped_column(BigInteger)
    kept_commission_minor: Mapped[int | None] = mapped_column(BigInteger)

    # Number, notes, where and when it begins and ends (chassis.itinerary.pack); NULL = nothing of it is known.
    travel: Mapped[dict[str, str] | None] = mapped_column(JSON)

    instalments: Mapped[list["InstalmentRow"]] = relationship(
        order_by="InstalmentRow.position", cascade="all, delete-orphan", lazy="selectin"
    )


class InstalmentRow(Base):
    """Every due amount of a segment, deposit and final payment among them: what is due when is read from here.

    The segment's own columns for deposit and final payment are written too as long as processes that know nothing of
    this table may run beside (expand and contract): for those two they are what counts.
    """

    __tablename__ = "instalment"
    __table_args__ = (
        Index("ix_instalment_due", "due_on", "booking_id"),
        Index("ix_instalment_segment", "segment_id"),
        # What is due on an agent's open trips, whatever else was ever due.
        Index("ix_instalment_booking", "booking_id", "due_on"),
    )

    # Also what its calendar entries are known by: "SEGMENT-deposit", "SEGMENT-final", or its own.
    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    segment_id: Mapped[str] = mapped_column(ForeignKey("segment.id", ondelete="CASCADE"))
    # The segment's, so that a look-up by day needs no way over it.
    booking_id: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    position: Mapped[int]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    due_on: Mapped[date | None]
    # How much must have been paid on the segment by then, this amount included.
    until_then_minor: Mapped[int] = mapped_column(BigInteger)
    # Not while the segment is cancelled.
    active: Mapped[bool]


class PassengerRow(Base):
    """A client who travels on a booking. The one at position 0 is the lead."""

    __tablename__ = "passenger"
    __table_args__ = (UniqueConstraint("booking_id", "client_id"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    booking_id: Mapped[str] = mapped_column(ForeignKey("booking.id", ondelete="CASCADE"), index=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id"), index=True)
    position: Mapped[int]
