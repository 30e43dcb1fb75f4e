"""Use cases of the eSignature room: read a signature, make the signed document, keep it, hand it out."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.db import Database
from chassis.ids import new_id
from chassis.web.colour import accent_for, parse_hex
from services.portal.esign import pdf
from services.portal.esign.drawing import DrawingError, read_drawing
from services.portal.esign.models import SignedDocumentRow
from services.portal.esign.rules import (
    CONSENT_TEXT,
    CONSENT_VERSION,
    Signature,
    SignatureKind,
    clean_name,
    is_name,
    text_sha256,
)
from services.portal.evidence import EvidenceStep
from services.portal.origin import Origin
from services.portal.payment_request import PaymentRequest

TITLE = "Credit card authorization"

__all__ = [
    "CONSENT_TEXT",
    "CONSENT_VERSION",
    "TITLE",
    "Documents",
    "Signature",
    "SignatureMissing",
    "SignedDocument",
    "clean_name",
    "read_signature",
]


class SignatureMissing(ValueError):
    """There is no usable signature; the message is for the person who should sign."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedDocument:
    """A signed document, ready to be kept and told of."""

    document_id: str
    terms_text: str
    terms_version: str
    terms_sha256: str
    signature: Signature
    signer_email: str
    signed_at: datetime
    origin: Origin
    pdf: bytes

    @property
    def pdf_sha256(self) -> str:
        return sha256(self.pdf).hexdigest()


def read_signature(kind: str, *, text: str, image: str, payer_name: str) -> Signature:
    """The signature in a posted form. A drawn one is signed in the payer's name. Raises SignatureMissing."""
    if kind == SignatureKind.DRAWN:
        try:
            drawing = read_drawing(image)
        except DrawingError as error:
            raise SignatureMissing(str(error)) from None
        return Signature(kind=SignatureKind.DRAWN, signer_name=clean_name(payer_name), image=drawing)
    name = clean_name(text)
    if not is_name(name):
        raise SignatureMissing("Please sign: draw your signature or type your full name.")
    return Signature(kind=SignatureKind.TYPED, signer_name=name)


class Documents:
    """The eSignature room. Methods with a `session` are parts of a caller's transaction."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    def make(
        self,
        *,
        request: PaymentRequest,
        facts: tuple[tuple[str, str], ...],
        terms_text: str,
        terms_version: str,
        signature: Signature,
        steps: tuple[EvidenceStep, ...],
        signed_at: datetime,
        origin: Origin,
    ) -> SignedDocument:
        """The signed authorization of a payment request as PDF. `facts` are the labelled lines above the terms."""
        document_id = new_id("doc")
        contact = " · ".join(part for part in (request.agency_phone, request.agency_email) if part)
        document = pdf.AuthorizationDocument(
            document_id=document_id,
            title=TITLE,
            agency_name=request.agency_name,
            agency_contact=contact,
            accent=parse_hex(accent_for(request.accent, dark=False).accent),
            time_zone=request.time_zone,
            facts=facts,
            amount=request.amount.format(),
            terms_text=terms_text,
            terms_version=terms_version,
            terms_sha256=text_sha256(terms_text),
            consent_text=CONSENT_TEXT,
            consent_version=CONSENT_VERSION,
            signature=signature,
            signer_email=request.payer_email,
            signed_at=signed_at,
            steps=steps,
        )
        return SignedDocument(
            document_id=document_id,
            terms_text=terms_text,
            terms_version=terms_version,
            terms_sha256=document.terms_sha256,
            signature=signature,
            signer_email=request.payer_email,
            signed_at=signed_at,
            origin=origin,
            pdf=pdf.render(document),
        )

    def keep(self, session: Session, document: SignedDocument, *, payment_id: str, agency_id: str) -> None:
        """Stores the document for good (M13)."""
        session.add(
            SignedDocumentRow(
                document_id=document.document_id,
                payment_id=payment_id,
                agency_id=agency_id,
                title=TITLE,
                terms_text=document.terms_text,
                terms_version=document.terms_version,
                terms_sha256=document.terms_sha256,
                consent_text=CONSENT_TEXT,
                consent_version=CONSENT_VERSION,
                signer_name=document.signature.signer_name,
                signer_email=document.signer_email,
                signature_kind=document.signature.kind.value,
                signature_image=document.signature.image,
                signed_at=document.signed_at,
                ip=document.origin.ip,
                user_agent=document.origin.user_agent,
                pdf=document.pdf,
                pdf_sha256=document.pdf_sha256,
            )
        )

    def pdf_of_payment(self, payment_id: str) -> bytes | None:
        """The signed PDF of a payment, or None."""
        with self._database.read() as session:
            return session.scalars(
                select(SignedDocumentRow.pdf).where(SignedDocumentRow.payment_id == payment_id)
            ).one_or_none()
