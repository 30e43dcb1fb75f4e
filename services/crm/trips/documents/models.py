"""Rows of the documents room."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, deferred, mapped_column, relationship

from chassis.db import UtcDateTime
from services.crm.orm import Base


class BookingDocumentRow(Base):
    """A file for the travelers of a booking. What was taken back keeps its line and loses its bytes."""

    __tablename__ = "booking_document"
    __table_args__ = (
        # A form sent twice shares one file.
        UniqueConstraint("booking_id", "request_key"),
        Index("ix_booking_document_shared", "booking_id", "shared_at"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"), index=True)
    agent_id: Mapped[str] = mapped_column(ForeignKey("agent.id"))
    booking_id: Mapped[str] = mapped_column(ForeignKey("booking.id"))
    request_key: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(120))
    file_name: Mapped[str] = mapped_column(String(140))
    content_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    # Every passenger may see it, also one who is put on the booking later; else the readers alone.
    for_everyone: Mapped[bool]
    shared_at: Mapped[datetime] = mapped_column(UtcDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Lists don't read it.
    content: Mapped[bytes] = deferred(mapped_column(LargeBinary))

    readers: Mapped[list["DocumentReaderRow"]] = relationship(cascade="all, delete-orphan", lazy="selectin")


class DocumentReaderRow(Base):
    """A passenger who may see a document that is not for everyone."""

    __tablename__ = "document_reader"

    document_id: Mapped[str] = mapped_column(ForeignKey("booking_document.id", ondelete="CASCADE"), primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id"), primary_key=True, index=True)
