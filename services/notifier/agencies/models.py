"""Rows of the agencies room."""

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from services.notifier.orm import Base


class AgencyLook(Base):
    """An agency as the CRM last told of it."""

    __tablename__ = "agency_looks"

    agency_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    accent: Mapped[str] = mapped_column(String(7))
    phone: Mapped[str] = mapped_column(String(40))
    email: Mapped[str] = mapped_column(String(254))
    # PNG; empty = none.
    logo: Mapped[bytes] = mapped_column(LargeBinary)
