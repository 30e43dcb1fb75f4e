"""Rows of the eSignature room: what waits for a signature, and what stays forever (M13)."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.portal.news import news
from services.portal.orm import Base


class SignedDocumentRow(Base):
    """A signed document with its evidence: the exact text, the signature as given, the record of all that the PDF
    says, and the PDF once it is printed."""

    __tablename__ = "signed_documents"

    document_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    # What was signed: a payment's authorization, or the paper of a signing request.
    payment_id: Mapped[str | None] = mapped_column(String(40), unique=True)
    request_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    # Who signed, where they are known by an id.
    client_id: Mapped[str] = mapped_column(String(64), default="", index=True)
    agency_id: Mapped[str] = mapped_column(String(40))
    agency_name: Mapped[str] = mapped_column(String(200), default="")
    title: Mapped[str] = mapped_column(String(200))
    terms_text: Mapped[str] = mapped_column(Text)
    terms_version: Mapped[str] = mapped_column(String(60))
    terms_sha256: Mapped[str] = mapped_column(String(64))
    consent_text: Mapped[str] = mapped_column(Text)
    consent_version: Mapped[str] = mapped_column(String(20))
    signer_name: Mapped[str] = mapped_column(String(100))
    signer_email: Mapped[str] = mapped_column(String(320))
    # drawn, typed, or on_file: then the document on which it was first given.
    signature_kind: Mapped[str] = mapped_column(String(10))
    signature_from: Mapped[str] = mapped_column(String(40), default="")
    signature_image: Mapped[bytes] = mapped_column(LargeBinary)
    signed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ip: Mapped[str] = mapped_column(String(45))
    user_agent: Mapped[str] = mapped_column(String(300))
    # See pdf.Record; empty for what was signed before records were kept, and has had its PDF from the start.
    record: Mapped[str] = mapped_column(Text, default="", server_default="")
    record_sha256: Mapped[str] = mapped_column(String(64), default="", server_default="")
    # Empty until it is printed (printing.Printing).
    pdf: Mapped[bytes] = mapped_column(LargeBinary)
    pdf_sha256: Mapped[str] = mapped_column(String(64), index=True)


class PrintJobRow(Base):
    """A signed document that waits to be printed, and what is told of it then."""

    __tablename__ = "print_jobs"

    document_id: Mapped[str] = mapped_column(ForeignKey("signed_documents.document_id"), primary_key=True)
    # A type of the catalogue, and the serialized event; the PDF goes into it.
    event_type: Mapped[str] = mapped_column(String(60))
    event: Mapped[bytes] = mapped_column(LargeBinary)
    aggregate_id: Mapped[str] = mapped_column(String(64))
    agency_id: Mapped[str] = mapped_column(String(64))
    due_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    failures: Mapped[int] = mapped_column(default=0)


@news("request_id", "client_id")
class SignRequestRow(Base):
    """Something that a person is asked to sign: a document of the agency's library (C8), an insurance offer (C7)."""

    __tablename__ = "sign_requests"
    __table_args__ = (Index("ix_sign_requests_client", "client_id", "state"),)

    request_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    # document or insurance.
    kind: Mapped[str] = mapped_column(String(12))
    agency_id: Mapped[str] = mapped_column(String(64))
    booking_id: Mapped[str] = mapped_column(String(64))
    booking_title: Mapped[str] = mapped_column(String(200))
    client_id: Mapped[str] = mapped_column(String(64))
    # Serialized wayvault.events.v1.Agency, Agent and Client: as they were when it was sent.
    agency: Mapped[bytes] = mapped_column(LargeBinary)
    agent: Mapped[bytes] = mapped_column(LargeBinary)
    signer: Mapped[bytes] = mapped_column(LargeBinary)
    title: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    text_version: Mapped[str] = mapped_column(String(60))
    # An insurance offer's price; a document has none.
    price_minor: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3), default="")
    state: Mapped[str] = mapped_column(String(12))
    # What was answered to an offer; None before, and for a document, which can only be signed.
    accepted: Mapped[bool | None]
    issue: Mapped[int]
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    signed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    document_id: Mapped[str] = mapped_column(String(40), default="")


class SignTokenRow(Base):
    """A token that opens a signing request, hashed. Every letter brings its own; older ones stay good."""

    __tablename__ = "sign_tokens"

    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("sign_requests.request_id"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
