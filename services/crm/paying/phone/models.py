"""Rows of the phone room. Never a digit: the masker tells none."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.crm.orm import Base


class PhoneCallRow(Base):
    """One secure session: for which payment, how it ended. `result` is empty while it lasts."""

    __tablename__ = "phone_call"
    __table_args__ = (
        Index("ix_phone_call_agent", "agent_id", "started_at", "id"),
        Index("ix_phone_call_agency", "agency_id", "started_at", "id"),
        Index("ix_phone_call_payment", "payment_id", "started_at"),
        Index("ix_phone_call_open", "result", "started_at"),
        Index("ix_phone_call_storing", "storing_at", postgresql_where=text("storing_at IS NOT NULL")),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"))
    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"))
    payment_id: Mapped[str] = mapped_column(ForeignKey("payment.id"))
    session_id: Mapped[str] = mapped_column(String(64), unique=True)
    result: Mapped[str] = mapped_column(String(16), default="")
    # How often a field had to be asked for again.
    asked_again: Mapped[int] = mapped_column(default=0)
    # What the agent read to the client, and that the client agreed.
    script: Mapped[str] = mapped_column(Text)
    consented_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # The request to sign the authorization; empty when none could be sent, and why not.
    sign_request_id: Mapped[str] = mapped_column(String(64), default="")
    signature_problem: Mapped[str] = mapped_column(String(300), default="")
    # When *Store card* was pressed last, and the holder's name and address as typed (JSON), until it is known whether
    # the vault has the card. The CRM may die in between: then the worker finds out.
    storing_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    holder: Mapped[str] = mapped_column(Text, default="", server_default="")
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    tied_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class PhoneFlowRow(Base):
    """An agency's own flow (T8); without a row the first one holds."""

    __tablename__ = "phone_flow"

    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"), primary_key=True)
    # Names of fields with commas between them.
    field_order: Mapped[str] = mapped_column(String(40))
    script: Mapped[str] = mapped_column(Text)
    field_seconds: Mapped[int]
    idle_seconds: Mapped[int]
    total_seconds: Mapped[int]
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PhoneDeskRow(Base):
    """The telephone of an agent: the only one that may key PINs of theirs. Without a row any of the agency's may."""

    __tablename__ = "phone_desk"

    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"), primary_key=True)
    extension: Mapped[str] = mapped_column(String(64))
