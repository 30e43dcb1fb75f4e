"""Rows of the quotes room."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.portal.orm import Base


class QuoteRow(Base):
    """That a form was sent, so that the form sent twice asks once. What it said travels to the CRM and is not kept."""

    __tablename__ = "quote_requests"

    # Made with the form.
    request_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    quote_id: Mapped[str] = mapped_column(String(40), unique=True)
    agent_id: Mapped[str] = mapped_column(String(64))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
