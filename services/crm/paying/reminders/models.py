"""Rows of the reminders room."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.crm.orm import Base


class ReminderRuleRow(Base):
    """When to remind and what to say."""

    __tablename__ = "reminder_rule"
    # One rule of a kind for the agency, and one for each agent who wants their own.
    __table_args__ = (UniqueConstraint("owner", "kind"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"), index=True)
    # The agency's id, or that of the agent whose own rule it is.
    owner: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    days_before: Mapped[int]
    # rules.Anchor.
    anchor: Mapped[str] = mapped_column(String(8), default="due", server_default="due")
    active: Mapped[bool]
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}


class ReminderSwitchRow(Base):
    """Reminders are off: for one segment, or for the whole booking where `segment_id` is empty."""

    __tablename__ = "reminder_switch"

    booking_id: Mapped[str] = mapped_column(ForeignKey("booking.id", ondelete="CASCADE"), primary_key=True)
    segment_id: Mapped[str] = mapped_column(String(64), primary_key=True, default="")


class ReminderLogRow(Base):
    """What became of a reminder, as the notifier told it. Kept as it was then: names may change later."""

    __tablename__ = "reminder_log"
    __table_args__ = (
        Index("ix_reminder_log_agent_at", "agent_id", "at", "id"),
        Index("ix_reminder_log_agency_at", "agency_id", "at", "id"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"))
    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"))
    booking_id: Mapped[str] = mapped_column(ForeignKey("booking.id"), index=True)
    # No foreign key: a segment may be taken out of the booking, the log stays.
    segment_id: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    due_on: Mapped[date]
    booking_title: Mapped[str] = mapped_column(String(160))
    supplier_name: Mapped[str] = mapped_column(String(120))
    outcome: Mapped[str] = mapped_column(String(20))
    recipient_name: Mapped[str] = mapped_column(String(200))
    # The address, masked.
    address_hint: Mapped[str] = mapped_column(String(320))
    subject: Mapped[str] = mapped_column(String(300))
    reason: Mapped[str] = mapped_column(String(300))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
