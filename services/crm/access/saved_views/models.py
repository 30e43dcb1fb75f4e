"""Rows of the room of saved views."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.crm.orm import Base


class SavedViewRow(Base):
    """One agent's view of one list. Nobody else sees it."""

    __tablename__ = "saved_view"
    # An agent's views of a list are found by it too.
    __table_args__ = (UniqueConstraint("agent_id", "list_name", "name"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"))
    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"))
    # rules.SavedList.
    list_name: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(60))
    # The list's state as its address has it; what rules.state_of made of it.
    state: Mapped[str] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
