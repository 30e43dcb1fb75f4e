"""What the eSignature room does on the CRM's events."""

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from protos.wayvault.events.v1.events_pb2 import EsignRequested, EsignWithdrawn
from services.portal.esign.record import new_document
from services.portal.esign.requests import SignRequests


def subscribe(handlers: EventHandlers, requests: SignRequests) -> None:
    """Registers the room's handlers."""

    def on_requested(session: Session, message: EsignRequested, meta: EventMeta) -> None:
        requests.learn(session, new_document(message, meta.occurred_at))

    def on_withdrawn(session: Session, message: EsignWithdrawn, _: EventMeta) -> None:
        requests.withdraw(session, message.request_id)

    handlers.on(EsignRequested, on_requested)
    handlers.on(EsignWithdrawn, on_withdrawn)
