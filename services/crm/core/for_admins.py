"""What an agent asks the agency's admins for about a payment: columns that every kind of it has."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime


class ForAdminsColumns:
    """For the rows of one kind of request."""

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    payment_id: Mapped[str] = mapped_column(ForeignKey("payment.id"))
    agency_id: Mapped[str]
    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"))
    reason: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(12))
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_by: Mapped[str | None] = mapped_column(ForeignKey("agent.id"))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
