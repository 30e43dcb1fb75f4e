"""Rows of the itineraries room."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.portal.news import news
from services.portal.orm import Base


@news("share_id")
class ItineraryLinkRow(Base):
    """A link that shows a trip. The token is known by its SHA-256 alone."""

    __tablename__ = "itinerary_links"

    share_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    booking_id: Mapped[str] = mapped_column(String(64))
    agency_id: Mapped[str] = mapped_column(String(64))
    agent_id: Mapped[str] = mapped_column(String(64))
    token_sha256: Mapped[str] = mapped_column(String(64))
    with_prices: Mapped[bool]
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked: Mapped[bool]
