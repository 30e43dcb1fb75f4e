"""What the trips room does on the CRM's events."""

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from protos.wayvault.events.v1.events_pb2 import BookingSaved
from services.portal.trips.service import Trips


def subscribe(handlers: EventHandlers, trips: Trips) -> None:
    """Registers the room's handlers."""

    def on_saved(session: Session, message: BookingSaved, meta: EventMeta) -> None:
        trips.learn(session, message, meta.occurred_at)

    handlers.on(BookingSaved, on_saved)
