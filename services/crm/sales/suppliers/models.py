"""Rows of the suppliers room."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.crm.core.search import KEY
from services.crm.orm import Base


class SupplierRow(Base):
    """A supplier as the whole agency knows it; every agent of the agency may change it."""

    __tablename__ = "supplier"
    # Segments and payments name suppliers in words; the key is what those words are compared by.
    __table_args__ = (UniqueConstraint("agency_id", "name_key"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"))
    name: Mapped[str] = mapped_column(String(120))
    # rules.key_of.
    name_key: Mapped[str] = mapped_column(KEY)
    phone: Mapped[str] = mapped_column(String(40))
    payment_page: Mapped[str] = mapped_column(String(300))
    # chassis.cards.Brand, with commas between; empty = not known, or all.
    brands: Mapped[str] = mapped_column(String(300))
    # Hundredths of a percent; NULL = not known.
    commission_points: Mapped[int | None]
    note: Mapped[str] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}
