"""Rows of the visits room. The parts are rows of their own rooms, which name the visit."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.crm.core.asked import AskedColumns
from services.crm.core.news import news
from services.crm.orm import Base


@news
class VisitRow(AskedColumns, Base):
    """What one passenger is asked for by one letter."""

    __tablename__ = "visit"
    __table_args__ = (
        Index("ix_visit_booking", "booking_id", "created_at"),
        Index("ix_visit_agent", "agent_id", "created_at"),
        Index("ix_visit_agency", "agency_id", "created_at"),
        Index("ix_visit_client_id", "client_id"),
        Index("ix_visit_state_expiry", "state", "expires_at"),
    )

    booking_title: Mapped[str] = mapped_column(String(160))
    passenger_name: Mapped[str] = mapped_column(String(170))
    # The form's key and the client, hashed together: a form sent twice asks once.
    request_key: Mapped[str] = mapped_column(String(64), unique=True)
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
