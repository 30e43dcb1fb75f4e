"""The second reveal's row."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.vault.orm import Base


class SecondRevealRow(Base):
    """A request to see a card once more, and what became of it. The database itself knows no self-approval."""

    __tablename__ = "second_reveals"
    __table_args__ = (
        CheckConstraint("approver_id IS NULL OR approver_id <> owner_agent_id", name="two_people"),
        CheckConstraint("state NOT IN ('approved', 'used') OR approver_id IS NOT NULL", name="approved_by_somebody"),
        # A card has one open request.
        Index(
            "uq_second_reveals_open_card",
            "card_token",
            unique=True,
            postgresql_where=text("state IN ('requested', 'approved')"),
            sqlite_where=text("state IN ('requested', 'approved')"),
        ),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    card_token: Mapped[str] = mapped_column(String(64))
    agency_id: Mapped[str] = mapped_column(String(64))
    owner_agent_id: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(200))
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime())
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime(), index=True)
    approver_id: Mapped[str | None] = mapped_column(String(64))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
