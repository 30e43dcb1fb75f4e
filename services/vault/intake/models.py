"""The intake's row: one slot for one card, or one CVV."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.vault.orm import Base


class IntakeRow(Base):
    """A one-time slot that the portal opened for a payment's form. `card_token`: the card whose CVV is asked for."""

    __tablename__ = "intakes"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    agency_id: Mapped[str] = mapped_column(String(64))
    payment_id: Mapped[str] = mapped_column(String(64))
    owner_agent_id: Mapped[str] = mapped_column(String(64))
    card_token: Mapped[str | None] = mapped_column(String(64))
    card_days: Mapped[int]
    cvv_hours: Mapped[int]
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime())
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime(), index=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    # The phone session in which the card is keyed; null for a form.
    keyed_in: Mapped[str | None] = mapped_column(String(64))
