"""Rows of the eSignature room: what stays forever (M13)."""

from datetime import datetime

from sqlalchemy import LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import UtcDateTime
from services.portal.orm import Base


class SignedDocumentRow(Base):
    """A signed document with its evidence: the exact text, the signature as given, and the PDF."""

    __tablename__ = "signed_documents"

    document_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    payment_id: Mapped[str] = mapped_column(String(40), unique=True)
    agency_id: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(200))
    terms_text: Mapped[str] = mapped_column(Text)
    terms_version: Mapped[str] = mapped_column(String(60))
    terms_sha256: Mapped[str] = mapped_column(String(64))
    consent_text: Mapped[str] = mapped_column(Text)
    consent_version: Mapped[str] = mapped_column(String(20))
    signer_name: Mapped[str] = mapped_column(String(100))
    signer_email: Mapped[str] = mapped_column(String(320))
    signature_kind: Mapped[str] = mapped_column(String(10))
    signature_image: Mapped[bytes] = mapped_column(LargeBinary)
    signed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ip: Mapped[str] = mapped_column(String(45))
    user_agent: Mapped[str] = mapped_column(String(300))
    pdf: Mapped[bytes] = mapped_column(LargeBinary)
    pdf_sha256: Mapped[str] = mapped_column(String(64))
