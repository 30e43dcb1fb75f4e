"""Rows of the visits room. What a part is and how far it is, its own room keeps."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.portal.news import news
from services.portal.orm import Base


@news("visit_id", "client_id")
class VisitRow(Base):
    """What one client is asked for by one letter."""

    __tablename__ = "visits"

    visit_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(String(64))
    client_id: Mapped[str] = mapped_column(String(64), index=True)
    booking_id: Mapped[str] = mapped_column(String(64))
    booking_title: Mapped[str] = mapped_column(String(200))
    # Serialized wayvault.events.v1.Agency, Agent and Client: as they were when it was sent last.
    agency: Mapped[bytes] = mapped_column(LargeBinary)
    agent: Mapped[bytes] = mapped_column(LargeBinary)
    client: Mapped[bytes] = mapped_column(LargeBinary)
    issue: Mapped[int]
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # When nothing of it waited any more, and that was noted; it begins anew when it is sent again.
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # When the worker looks whether it has ended; None once it has.
    look_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)


class VisitPartRow(Base):
    """One part: a payment link, a document, an insurance offer, under its own id."""

    __tablename__ = "visit_parts"

    part_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    visit_id: Mapped[str] = mapped_column(ForeignKey("visits.visit_id"), index=True)
    # In which order they are best given.
    place: Mapped[int]
    kind: Mapped[str] = mapped_column(String(12))


class VisitTokenRow(Base):
    """A token that opens a visit, hashed. Every letter brings its own; older ones stay good."""

    __tablename__ = "visit_tokens"

    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    visit_id: Mapped[str] = mapped_column(ForeignKey("visits.visit_id"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
