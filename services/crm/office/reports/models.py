"""Rows of the reports room: what reports read is other rooms', but for commissions that came in."""

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.crm.orm import Base


class CommissionReceiptRow(Base):
    """A commission that a supplier has paid, whole or in part. Amounts are in the booking's currency."""

    __tablename__ = "commission_receipt"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"))
    booking_id: Mapped[str] = mapped_column(ForeignKey("booking.id"))
    # No foreign key: a segment may be taken out of the booking, what came in stays.
    segment_id: Mapped[str] = mapped_column(String(64), index=True)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    received_on: Mapped[date]
    reference: Mapped[str] = mapped_column(String(80))
    noted_by: Mapped[str] = mapped_column(ForeignKey("agent.id"))
    noted_at: Mapped[datetime] = mapped_column(UtcDateTime)
