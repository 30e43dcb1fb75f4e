"""What the itineraries room does on the CRM's events."""

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from protos.wayvault.events.v1.events_pb2 import ItineraryShared, ItineraryUnshared
from services.portal.itineraries.service import Itineraries


def subscribe(handlers: EventHandlers, itineraries: Itineraries) -> None:
    """Registers the room's handlers."""

    def on_shared(session: Session, message: ItineraryShared, meta: EventMeta) -> None:
        itineraries.learn_shared(session, message, meta.agency_id)

    def on_unshared(session: Session, message: ItineraryUnshared, _: EventMeta) -> None:
        itineraries.learn_unshared(session, message.share_id)

    handlers.on(ItineraryShared, on_shared)
    handlers.on(ItineraryUnshared, on_unshared)
