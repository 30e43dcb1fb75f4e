"""What the portal_access room does on the portal's events."""

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from protos.wayvault.events.v1.events_pb2 import ClientPortalActivated
from services.crm.sales.portal_access.service import PortalAccess


def register(handlers: EventHandlers, access: PortalAccess) -> None:
    """Adds this room's handlers."""

    def on_activated(session: Session, message: ClientPortalActivated, meta: EventMeta) -> None:
        access.learn_activated(session, message, meta.agency_id)

    handlers.on(ClientPortalActivated, on_activated)
