"""Rows of the reveal room."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.crm.orm import Base


class ChallengeRow(Base):
    """A one-time code that the vault made for an agent. The code itself is known to vault and notifier only."""

    __tablename__ = "challenge"
    __table_args__ = (Index("ix_challenge_payment", "payment_id", "requested_at"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    payment_id: Mapped[str] = mapped_column(ForeignKey("payment.id"))
    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"))
    # card or cvv.
    kind: Mapped[str] = mapped_column(String(8))
    # Made by the page per code asked for: a double click repeats it and no second code is sent.
    request_key: Mapped[str] = mapped_column(String(64), unique=True)
    address_hint: Mapped[str] = mapped_column(String(254))
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # kind cvv: when the code was accepted and the link's letter was handed to the notifier.
    link_mailed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    link_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Why the e-mail with the code or the link could not be delivered, in plain words.
    delivery_problem: Mapped[str] = mapped_column(String(300), default="")
