"""Rows of the throttle room."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.portal.orm import Base


class ThrottleRow(Base):
    """How often an address did a thing in the present hour. The address is kept as a digest only."""

    __tablename__ = "throttle"

    key_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    began_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    count: Mapped[int]
