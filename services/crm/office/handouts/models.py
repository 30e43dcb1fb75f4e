"""Rows of the handouts room."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.crm.orm import Base


class HandoutRow(Base):
    """What an agency's agents are handed. Both may be missing."""

    __tablename__ = "handout"

    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"), primary_key=True)
    community_url: Mapped[str] = mapped_column(String(300))
    # Of the Quick Sheet; empty = there is none.
    sheet_sha256: Mapped[str] = mapped_column(String(64))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column()
    # A PDF of one page. Only its download reads it.
    sheet: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)

    __mapper_args__ = {"version_id_col": version}
