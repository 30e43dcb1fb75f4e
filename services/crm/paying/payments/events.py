"""What the payments room takes from events of the portal: the document that was signed.

payment.authorized is heard by the links room, which calls `service.record_authorization`.
"""

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from protos.wayvault.events.v1.events_pb2 import DocumentSigned
from services.crm.paying.payments.models import SignedDocumentRow
from services.crm.paying.payments.service import when


def register(handlers: EventHandlers) -> None:
    """Adds this room's handlers."""
    handlers.on(DocumentSigned, keep_document)


def keep_document(session: Session, message: DocumentSigned, meta: EventMeta) -> None:
    """Keeps the signed PDF (M13). The same document again changes nothing."""
    if session.get(SignedDocumentRow, message.document_id) is not None:
        return
    session.add(
        SignedDocumentRow(
            id=message.document_id,
            agency_id=meta.agency_id,
            payment_id=message.context.payment_id,
            title=message.title[:200],
            signer_name=message.signer_name[:200],
            signature_kind=message.signature_kind[:10],
            terms_version=message.terms_version[:40],
            terms_sha256=message.terms_sha256[:64],
            signed_at=when(message.signed_at),
            ip=message.origin.ip[:64],
            pdf=message.pdf,
            pdf_sha256=message.pdf_sha256[:64],
        )
    )
