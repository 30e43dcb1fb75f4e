"""Rows of the documents room: what the CRM shared, and with whom."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, deferred, mapped_column

from chassis.db import UtcDateTime
from services.portal.news import news
from services.portal.orm import Base


@news("booking_id")
class TripDocumentRow(Base):
    """A file for the travelers of a trip."""

    __tablename__ = "trip_documents"
    __table_args__ = (Index("ix_trip_documents_booking", "booking_id"),)

    document_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(String(64))
    booking_id: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(200))
    file_name: Mapped[str] = mapped_column(String(200))
    content_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    # Every traveler of the trip may see it; else those of document_readers.
    for_everyone: Mapped[bool]
    shared_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Lists don't read it.
    content: Mapped[bytes] = deferred(mapped_column(LargeBinary))


class DocumentReaderRow(Base):
    """A client who may see a document that is not for everyone."""

    __tablename__ = "document_readers"

    document_id: Mapped[str] = mapped_column(
        ForeignKey("trip_documents.document_id", ondelete="CASCADE"), primary_key=True
    )
    client_id: Mapped[str] = mapped_column(String(64), primary_key=True, index=True)
