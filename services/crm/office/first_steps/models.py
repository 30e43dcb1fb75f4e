"""Rows of the first steps."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.crm.orm import Base


class FirstStepRow(Base):
    """A step that an admin ticked, or that they have seen enough of them (rules.CLOSED)."""

    __tablename__ = "first_step"

    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"), primary_key=True)
    step: Mapped[str] = mapped_column(String(20), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
