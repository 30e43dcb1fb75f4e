"""Rows of the itinerary room."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.crm.orm import Base


class ItineraryShareRow(Base):
    """A link that shows a trip without an account. Its token is never kept, only the token's SHA-256."""

    __tablename__ = "itinerary_share"
    __table_args__ = (
        # A form sent twice makes one link per person.
        UniqueConstraint("request_key", "position"),
        Index("ix_itinerary_share_booking", "booking_id", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"))
    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"))
    booking_id: Mapped[str] = mapped_column(ForeignKey("booking.id"))
    # Who it was mailed to; NULL = the agent passes it on.
    client_id: Mapped[str | None] = mapped_column(ForeignKey("client.id"), index=True)
    email: Mapped[str] = mapped_column(String(254))
    token_sha256: Mapped[str] = mapped_column(String(64))
    with_prices: Mapped[bool]
    request_key: Mapped[str] = mapped_column(String(64))
    position: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
