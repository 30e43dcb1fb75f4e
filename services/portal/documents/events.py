"""What the documents room does on the CRM's events."""

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from protos.wayvault.events.v1.events_pb2 import DocumentShared, DocumentWithdrawn
from services.portal.documents.service import TripDocuments


def subscribe(handlers: EventHandlers, documents: TripDocuments) -> None:
    """Registers the room's handlers. What is told of one document comes in order."""

    def on_shared(session: Session, message: DocumentShared, meta: EventMeta) -> None:
        documents.learn_shared(session, message, meta.agency_id)

    def on_withdrawn(session: Session, message: DocumentWithdrawn, _: EventMeta) -> None:
        documents.learn_withdrawn(session, message.document_id)

    handlers.on(DocumentShared, on_shared)
    handlers.on(DocumentWithdrawn, on_withdrawn)
