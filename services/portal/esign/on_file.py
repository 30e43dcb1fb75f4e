"""Signatures on file: what a client signed with before, offered to them again, and used only when they tick it."""

from base64 import b64encode
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, select

from chassis.db import Database
from services.portal.esign.documents import SignatureMissing
from services.portal.esign.models import SignedDocumentRow
from services.portal.esign.on_file_rules import NOT_AGREED, NOT_THERE, Reused
from services.portal.esign.rules import Signature, SignatureKind


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureOnFile:
    """A signature as it was first given, for the page that offers it."""

    document_id: str
    kind: SignatureKind
    signer_name: str
    given_at: datetime
    image: bytes = field(repr=False)

    @property
    def picture(self) -> str:
        """The drawing as a data URL; empty for a typed name."""
        return f"data:image/png;base64,{b64encode(self.image).decode()}" if self.image else ""


class SignaturesOnFile:
    """What each client has on file with each agency. A signature is its giver's alone, and no other agency's."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    def of(self, client_id: str, agency_id: str) -> SignatureOnFile | None:
        """The newest signature that this client drew or typed for this agency; None when there is none."""
        return self._find(client_id, agency_id)

    def reuse(self, client_id: str, agency_id: str, *, document_id: str, agreed: bool) -> Signature:
        """The signature that the page has shown them, to sign once more. Raises SignatureMissing without their tick."""
        if not agreed:
            raise SignatureMissing(NOT_AGREED)
        known = self._find(client_id, agency_id, SignedDocumentRow.document_id == document_id)
        if known is None:
            raise SignatureMissing(NOT_THERE)
        return Signature(
            kind=known.kind,
            signer_name=known.signer_name,
            image=known.image,
            reused=Reused(document_id=known.document_id, given_at=known.given_at),
        )

    def _find(self, client_id: str, agency_id: str, *more: ColumnElement[bool]) -> SignatureOnFile | None:
        if not client_id:
            return None
        row = SignedDocumentRow
        query = (
            select(row.document_id, row.signature_kind, row.signer_name, row.signed_at, row.signature_image)
            .where(
                row.client_id == client_id,
                row.agency_id == agency_id,
                # What was itself reused is no original: the date on a paper is always that of the hand's own work.
                row.signature_kind.in_([kind.value for kind in SignatureKind]),
                *more,
            )
            .order_by(row.signed_at.desc(), row.document_id)
            .limit(1)
        )
        with self._database.read() as session:
            found = session.execute(query).first()
        if found is None:
            return None
        return SignatureOnFile(
            document_id=found.document_id,
            kind=SignatureKind(found.signature_kind),
            signer_name=found.signer_name,
            given_at=found.signed_at,
            image=found.signature_image,
        )
