"""Rows of the agencies room."""

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from services.portal.orm import Base


class AgencyRow(Base):
    """An agency as the CRM last told of it."""

    __tablename__ = "agencies"

    agency_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    accent: Mapped[str] = mapped_column(String(7))
    # Empty = initials.
    logo_sha256: Mapped[str] = mapped_column(String(64))


class AgencyLogoRow(Base):
    """The picture, apart from what every page reads."""

    __tablename__ = "agency_logos"

    agency_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))
    png: Mapped[bytes] = mapped_column(LargeBinary)
