"""What the payments room takes from events of the portal: the authorization, and the document that was signed."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from chassis.timestamps import moment_of
from protos.wayvault.events.v1.events_pb2 import DocumentSigned, PaymentAuthorized
from services.crm.paying.payments.held import HeldPayment, locked
from services.crm.paying.payments.models import SignedDocumentRow
from services.crm.paying.payments.self_service import SelfService


class UnknownPayment(Exception):
    """An event names a payment that the CRM never had: a dead letter for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentEvents:
    """Takes the client's facts over. Each handler is safe to run again."""

    self_service: SelfService
    # Has a card destroyed that came for a payment which is closed, in the caller's transaction.
    refuse_card: Callable[[Session, HeldPayment, str], None]

    def register(self, handlers: EventHandlers) -> None:
        """Adds this room's handlers."""
        handlers.on(PaymentAuthorized, self.payment_authorized)
        handlers.on(DocumentSigned, keep_document)

    def payment_authorized(self, session: Session, message: PaymentAuthorized, meta: EventMeta) -> None:
        """M2 → M3: the client gave a card and signed. From here on the red alert shows."""
        payment = locked(session, message.context.payment_id)
        if payment is None and message.self_service:
            payment = self.self_service.open(session, message, meta)
        if payment is None or payment.now.agency_id != meta.agency_id:
            raise UnknownPayment("payment.authorized names a payment that the CRM does not have")
        if not payment.authorize(message):
            # The payment is closed: nobody may use this card any more.
            self.refuse_card(session, payment, message.card_token)


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
            signed_at=moment_of(message.signed_at),
            ip=message.origin.ip[:64],
            pdf=message.pdf,
            pdf_sha256=message.pdf_sha256[:64],
        )
    )
