"""What the agencies room does on the CRM's events."""

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from protos.wayvault.events.v1.events_pb2 import AgencySaved
from services.portal.agencies.service import Agencies


def subscribe(handlers: EventHandlers, agencies: Agencies) -> None:
    """Registers the room's handlers."""

    def on_saved(session: Session, message: AgencySaved, _: EventMeta) -> None:
        agencies.learn(session, message)

    handlers.on(AgencySaved, on_saved)
