"""Rows of the admin room: the agency with its look and its policies, and the agents who work there."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, false
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.crm.orm import Base


class AgencyRow(Base):
    """A host agency. Everything else belongs to one."""

    __tablename__ = "agency"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    # "#rrggbb", or empty for Wayvault's teal.
    accent_colour: Mapped[str] = mapped_column(String(7))
    phone: Mapped[str] = mapped_column(String(40))
    email: Mapped[str] = mapped_column(String(254))
    time_zone: Mapped[str] = mapped_column(String(64))
    # us-letter or a4; empty = as is usual in its time zone.
    paper: Mapped[str] = mapped_column(String(10), default="", server_default="")
    card_retention_days: Mapped[int]
    cvv_retention_hours: Mapped[int]
    second_reveal: Mapped[bool]
    refund_limit: Mapped[int | None]
    charge_code: Mapped[bool] = mapped_column(default=False, server_default=false())
    notice_days: Mapped[int] = mapped_column(default=3, server_default="3")
    # Of its logo; empty = initials.
    logo_sha256: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}


class AgencyLogoRow(Base):
    """An agency's logo, apart from the agency itself, which every page reads."""

    __tablename__ = "agency_logo"

    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))
    # PNG, at most logo.MOST_KEPT bytes.
    png: Mapped[bytes] = mapped_column(LargeBinary)


class AgentRow(Base):
    """A person who works for an agency. How they prove that they are themselves is the auth room's."""

    __tablename__ = "agent"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254))
    # The address casefolded: what is unique, and what sign-in looks up.
    email_key: Mapped[str] = mapped_column(String(254), unique=True)
    phone: Mapped[str] = mapped_column(String(40))
    time_zone: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(16))
    active: Mapped[bool]
    # The end of their public page's address, which the portal gives; empty until it has told it.
    page_name: Mapped[str] = mapped_column(String(80), default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}
