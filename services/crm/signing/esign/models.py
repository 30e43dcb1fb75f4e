"""Rows of the eSignature room."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.crm.core.news import news
from services.crm.core.together import PartColumns
from services.crm.orm import Base
from services.crm.signing.signed import SignedColumns


class TemplateRow(Base):
    """A document of the library. Its texts are versions of their own, which are only ever added to."""

    __tablename__ = "esign_template"
    # One of each built-in kind per agency, however many pages ask for the library at once.
    __table_args__ = (UniqueConstraint("agency_id", "built_in"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"), index=True)
    # Whose own it is; None = the agency's, for all its agents.
    agent_id: Mapped[str | None] = mapped_column(ForeignKey("agent.id"))
    kind: Mapped[str] = mapped_column(String(20))
    # The kind once more for what every agency has; None for own documents.
    built_in: Mapped[str | None] = mapped_column(String(20))
    required: Mapped[str] = mapped_column(String(10))
    # The newest version of its text.
    number: Mapped[int]
    archived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}


class TemplateVersionRow(Base):
    """What a template said at a time."""

    __tablename__ = "esign_template_version"

    template_id: Mapped[str] = mapped_column(ForeignKey("esign_template.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(120))
    body: Mapped[str] = mapped_column(Text)
    # Who wrote it; None = it came with Wayvault.
    written_by: Mapped[str | None] = mapped_column(ForeignKey("agent.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


@news
class SignRequestRow(PartColumns, Base):
    """One passenger's request to sign one document, with the exact text."""

    __tablename__ = "esign_request"
    __table_args__ = (
        Index("ix_esign_request_agent_created", "agent_id", "created_at", "id"),
        Index("ix_esign_request_agency_created", "agency_id", "created_at", "id"),
        Index("ix_esign_request_booking", "booking_id", "created_at"),
        Index("ix_esign_request_client", "client_id", "created_at"),
        Index("ix_esign_request_state_expiry", "state", "expires_at"),
    )

    template_id: Mapped[str] = mapped_column(ForeignKey("esign_template.id"))
    template_number: Mapped[int]
    title: Mapped[str] = mapped_column(String(120))
    text: Mapped[str] = mapped_column(Text)
    text_sha256: Mapped[str] = mapped_column(String(64))
    signer_name: Mapped[str] = mapped_column(String(170))
    booking_title: Mapped[str] = mapped_column(String(160))
    # The form's key and the client, hashed together: a form sent twice sends once to each.
    request_key: Mapped[str] = mapped_column(String(64), unique=True)
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    signed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SignedRequestRow(SignedColumns, Base):
    """What was signed of a request."""

    __tablename__ = "esign_document"

    request_id: Mapped[str] = mapped_column(ForeignKey("esign_request.id"), unique=True)
    signed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class FeeRestrictionRow(Base):
    """A US state that restricts service fees, as the agency's admin sees it."""

    __tablename__ = "fee_restriction"

    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"), primary_key=True)
    state: Mapped[str] = mapped_column(String(2), primary_key=True)
    note: Mapped[str] = mapped_column(String(300))
