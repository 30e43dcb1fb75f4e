"""Rows of the standing orders room."""

from datetime import date, datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.portal.news import news
from services.portal.orm import Base


@news("client_id")
class StandingOrderRow(Base):
    """A standing order as the CRM told of it last, and what its client asked for since."""

    __tablename__ = "standing_orders"

    order_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    client_id: Mapped[str] = mapped_column(String(64), index=True)
    agency_id: Mapped[str] = mapped_column(String(64))
    # The serialized wayvault.events.v1.PaymentContext of the proposal.
    context: Mapped[bytes] = mapped_column(LargeBinary)
    # The CRM's word: proposed, active, paused, card_needed, completed, cancelled.
    state: Mapped[str] = mapped_column(String(16))
    next_on: Mapped[date | None]
    made: Mapped[int]
    card_brand: Mapped[str] = mapped_column(String(20), default="")
    card_last4: Mapped[str] = mapped_column(String(4), default="")
    can_change_card: Mapped[bool]
    # From which day on, by the agency's calendar: a card waits in the vault for so long only.
    other_card_from: Mapped[date | None]
    told_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # What the client asked for and the CRM has not answered yet.
    cancel_asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    card_asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
