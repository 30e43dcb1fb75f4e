"""Rows of the portal_access room."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.crm.orm import Base


class PortalAccessRow(Base):
    """A client's username and how far they came with it. Passwords and links' hashes are the portal's."""

    __tablename__ = "portal_access"

    client_id: Mapped[str] = mapped_column(ForeignKey("client.id"), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"), index=True)
    username: Mapped[str] = mapped_column(String(60))
    # Casefolded. The portal is one for all agencies, so a username is one client's only; None once withdrawn.
    username_key: Mapped[str | None] = mapped_column(String(60), unique=True)
    state: Mapped[str] = mapped_column(String(12))
    # Counts the letters sent.
    issue: Mapped[int]
    # Where the last letter went.
    email: Mapped[str] = mapped_column(String(254))
    invited_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    activated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
