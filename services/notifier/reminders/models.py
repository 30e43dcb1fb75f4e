"""Rows of the reminders room: what it has heard, and what became of each reminder."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Boolean, Index, LargeBinary, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.notifier.orm import Base


class ReminderAgencyRow(Base):
    """An agency as its newest event told it."""

    __tablename__ = "reminder_agency"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    # Serialized wayvault.events.v1.Agency.
    snapshot: Mapped[bytes] = mapped_column(LargeBinary)
    known_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ReminderAgentRow(Base):
    """An agent as their newest event told them."""

    __tablename__ = "reminder_agent"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    # Serialized wayvault.events.v1.Agent.
    snapshot: Mapped[bytes] = mapped_column(LargeBinary)
    known_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ReminderClientRow(Base):
    """To whom a reminder goes."""

    __tablename__ = "reminder_client"

    client_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    first_name: Mapped[str] = mapped_column(String(200), default="")
    last_name: Mapped[str] = mapped_column(String(200), default="")
    email: Mapped[str] = mapped_column(String(320), default="")
    known_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ReminderGuestRow(Base):
    """A client who signs in to the portal: their reminders lead there. Gone when their way in was taken back."""

    __tablename__ = "reminder_guest"

    client_id: Mapped[str] = mapped_column(String(64), primary_key=True)


class ReminderBookingRow(Base):
    """A trip as its newest event told it."""

    __tablename__ = "reminder_booking"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(String(64))
    agent_id: Mapped[str] = mapped_column(String(64))
    lead_client_id: Mapped[str] = mapped_column(String(64), index=True)
    title: Mapped[str] = mapped_column(String(200))
    status: Mapped[str] = mapped_column(String(16))
    currency: Mapped[str] = mapped_column(String(3))
    known_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ReminderRuleRow(Base):
    """When to remind and what to say. `agent_id` is empty for the agency's own rule."""

    __tablename__ = "reminder_rule"
    __table_args__ = (Index("ix_reminder_rule_scope", "agency_id", "kind", "agent_id"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(String(64))
    agent_id: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    days_before: Mapped[int]
    # rules.Anchor.
    anchor: Mapped[str] = mapped_column(String(8), default="due", server_default="due")
    active: Mapped[bool] = mapped_column(Boolean)
    # Since when without interruption: what was due before is not reminded of.
    active_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    withdrawn: Mapped[bool] = mapped_column(Boolean)
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    known_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ReminderSwitchRow(Base):
    """Reminders that the agent switched off: of one segment, or of the whole booking where `segment_id` is empty."""

    __tablename__ = "reminder_switch"

    booking_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    segment_id: Mapped[str] = mapped_column(String(64), primary_key=True, default="")


class ReminderPaymentRow(Base):
    """What was heard of a payment. `type` is the number of wayvault.events.v1.PaymentType."""

    __tablename__ = "reminder_payment"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    segment_id: Mapped[str] = mapped_column(String(64), index=True)
    type: Mapped[int]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    standing: Mapped[str] = mapped_column(String(12))


class ReminderRow(Base):
    """One date of one segment that is reminded of at most once. State changes are conditional updates only."""

    __tablename__ = "reminder"
    __table_args__ = (
        # Once per due date (C9): whatever happens to rules, restarts and replays.
        UniqueConstraint("segment_id", "kind", "due_on"),
        Index("ix_reminder_ripe", "agency_id", "kind", "state", "due_on"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    booking_id: Mapped[str] = mapped_column(String(64), index=True)
    segment_id: Mapped[str] = mapped_column(String(64))
    agency_id: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    due_on: Mapped[date]
    # Serialized wayvault.events.v1.Segment.
    segment: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(String(20))
    # The date was moved after its mail was queued: the mail is not to leave any more.
    # The first day of the segment, where it has one.
    travel_on: Mapped[date | None] = mapped_column(index=True)
    # The agent had it sent at once.
    by_hand: Mapped[bool] = mapped_column(default=False, server_default=false())
    dropped: Mapped[bool] = mapped_column(Boolean, default=False)
    # The rule by which it was settled, and what was sent to whom.
    rule_id: Mapped[str] = mapped_column(String(64), default="")
    subject: Mapped[str] = mapped_column(String(300), default="")
    recipient_name: Mapped[str] = mapped_column(String(200), default="")
    address_hint: Mapped[str] = mapped_column(String(320), default="")
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
