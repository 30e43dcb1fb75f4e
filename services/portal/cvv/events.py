"""What the CVV room does on the CRM's events."""

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from protos.wayvault.events.v1.events_pb2 import CvvRequested
from services.portal.cvv.service import CvvLinks


def subscribe(handlers: EventHandlers, links: CvvLinks) -> None:
    """Registers the room's handlers."""

    def on_requested(session: Session, message: CvvRequested, meta: EventMeta) -> None:
        links.learn(session, message, meta.occurred_at)

    handlers.on(CvvRequested, on_requested)
