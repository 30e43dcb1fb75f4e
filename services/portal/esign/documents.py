"""Signed documents: read a signature, make the record of it, keep it, hand out its PDF, know it again."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from chassis.db import Database
from chassis.ids import new_id
from chassis.paper.faces import name_them, unprintable
from chassis.paper.letterhead import Letterhead
from services.portal.esign import pdf
from services.portal.esign.drawing import DrawingError, read_drawing
from services.portal.esign.models import SignedDocumentRow
from services.portal.esign.printing import Printing
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


class SignatureMissing(ValueError):
    """There is no usable signature; the message is for the person who should sign."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentText:
    """What is to be signed, in the words that the PDF prints; see esign.pdf.PrintedDocument for the rest."""

    title: str
    head: Letterhead
    time_zone: str
    facts: tuple[tuple[str, str], ...]
    headline: str = ""
    terms_text: str
    terms_version: str
    consent_text: str
    consent_version: str
    signer_email: str
    calls_itself: str
    signed_words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedDocument:
    """A signed document, ready to be kept and told of. `record` is all that its PDF says."""

    document_id: str
    title: str
    agency_name: str
    terms_text: str
    terms_version: str
    terms_sha256: str
    consent_text: str
    consent_version: str
    signature: Signature
    signer_email: str
    signed_at: datetime
    origin: Origin
    record: pdf.Record


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDocument:
    """What anybody may learn of a signed document: no name, no address."""

    document_id: str
    title: str
    agency_name: str
    signed_at: datetime
    pdf_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentEntry:
    """A line of a client's list of what they have signed."""

    document_id: str
    request_id: str | None
    payment_id: str | None
    title: str
    signed_at: datetime


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
    if missing := unprintable(name):
        raise SignatureMissing(
            f"The signed PDF can't show {name_them(missing)}. Write your name in another way, or draw your signature."
        )
    return Signature(kind=SignatureKind.TYPED, signer_name=name)


class Documents:
    """The signed documents. Methods with a `session` are parts of a caller's transaction."""

    def __init__(self, *, database: Database, printing: Printing, public_url: str) -> None:
        self._database = database
        self._printing = printing
        self._verify_url = f"{public_url}/verify"

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
        """The signed authorization of a payment request. `facts` are the labelled lines above the terms."""
        text = DocumentText(
            title=TITLE,
            head=request.letterhead,
            time_zone=request.time_zone,
            facts=facts,
            headline=request.amount.format(),
            terms_text=terms_text,
            terms_version=terms_version,
            consent_text=CONSENT_TEXT,
            consent_version=CONSENT_VERSION,
            signer_email=request.payer_email,
            calls_itself="authorization",
            signed_words="Authorization signed",
        )
        return self.write(text, signature=signature, steps=steps, signed_at=signed_at, origin=origin)

    def write(
        self,
        text: DocumentText,
        *,
        signature: Signature,
        steps: tuple[EvidenceStep, ...],
        signed_at: datetime,
        origin: Origin,
    ) -> SignedDocument:
        """The text, signed: its record is made now, its PDF later."""
        document_id = new_id("doc")
        terms_sha256 = text_sha256(text.terms_text)
        printed = pdf.PrintedDocument(
            document_id=document_id,
            title=text.title,
            head=text.head,
            time_zone=text.time_zone,
            facts=text.facts,
            headline=text.headline,
            terms_text=text.terms_text,
            terms_version=text.terms_version,
            terms_sha256=terms_sha256,
            consent_text=text.consent_text,
            consent_version=text.consent_version,
            signature=signature,
            signer_email=text.signer_email,
            signed_at=signed_at,
            steps=steps,
            calls_itself=text.calls_itself,
            signed_words=text.signed_words,
            verify_url=self._verify_url,
        )
        return SignedDocument(
            document_id=document_id,
            title=text.title,
            agency_name=text.head.name,
            terms_text=text.terms_text,
            terms_version=text.terms_version,
            terms_sha256=terms_sha256,
            consent_text=text.consent_text,
            consent_version=text.consent_version,
            signature=signature,
            signer_email=text.signer_email,
            signed_at=signed_at,
            origin=origin,
            record=pdf.record_of(printed),
        )

    def keep(
        self,
        session: Session,
        document: SignedDocument,
        *,
        agency_id: str,
        payment_id: str | None = None,
        request_id: str | None = None,
        client_id: str = "",
    ) -> None:
        """Stores the document for good (M13)."""
        session.add(
            SignedDocumentRow(
                document_id=document.document_id,
                payment_id=payment_id,
                request_id=request_id,
                client_id=client_id,
                agency_id=agency_id,
                agency_name=document.agency_name[:200],
                title=document.title,
                terms_text=document.terms_text,
                terms_version=document.terms_version,
                terms_sha256=document.terms_sha256,
                consent_text=document.consent_text,
                consent_version=document.consent_version,
                signer_name=document.signature.signer_name,
                signer_email=document.signer_email,
                signature_kind=document.signature.way,
                signature_from=document.signature.reused.document_id if document.signature.reused else "",
                signature_image=document.signature.image,
                signed_at=document.signed_at,
                ip=document.origin.ip,
                user_agent=document.origin.user_agent,
                record=document.record.text,
                record_sha256=document.record.sha256,
                pdf=b"",
                pdf_sha256="",
            )
        )

    def pdf_of_payment(self, payment_id: str) -> bytes | None:
        """The signed PDF of a payment, or None."""
        return self._pdf(SignedDocumentRow.payment_id == payment_id)

    def pdf_of_request(self, request_id: str) -> bytes | None:
        """The signed PDF of a signing request, or None."""
        return self._pdf(SignedDocumentRow.request_id == request_id)

    def pdf_of_client(self, client_id: str, document_id: str) -> bytes | None:
        """A PDF that this client has signed, or None."""
        return self._pdf(SignedDocumentRow.document_id == document_id, SignedDocumentRow.client_id == client_id)

    def signed_by(self, client_id: str, *, limit: int = 100) -> list[DocumentEntry]:
        """What a client has signed, newest first."""
        row = SignedDocumentRow
        query = (
            select(row.document_id, row.request_id, row.payment_id, row.title, row.signed_at)
            .where(row.client_id == client_id)
            .order_by(row.signed_at.desc(), row.document_id)
            .limit(limit)
        )
        with self._database.read() as session:
            return [
                DocumentEntry(
                    document_id=found.document_id,
                    request_id=found.request_id,
                    payment_id=found.payment_id,
                    title=found.title,
                    signed_at=found.signed_at,
                )
                for found in session.execute(query)
            ]

    def known_by_hash(self, pdf_sha256: str) -> KnownDocument | None:
        """The document whose PDF has exactly these bytes, or None."""
        return self._known(SignedDocumentRow.pdf_sha256 == pdf_sha256)

    def known_by_id(self, document_id: str) -> KnownDocument | None:
        """The document that bears this number, or None."""
        return self._known(SignedDocumentRow.document_id == document_id)

    def _pdf(self, *conditions: ColumnElement[bool]) -> bytes | None:
        row = SignedDocumentRow
        with self._database.read() as session:
            found = session.execute(select(row.document_id, row.pdf).where(*conditions)).first()
        if found is None:
            return None
        return found.pdf or self._printing.print_now(found.document_id)

    def _known(self, condition: ColumnElement[bool]) -> KnownDocument | None:
        row = SignedDocumentRow
        query = select(row.document_id, row.title, row.agency_name, row.signed_at, row.pdf_sha256).where(condition)
        with self._database.read() as session:
            found = session.execute(query).first()
            if found is None or found.pdf_sha256:
                return None if found is None else KnownDocument(**found._mapping)
        # Asked for by its number before the worker came to it.
        self._printing.print_now(found.document_id)
        return self._known(condition)
