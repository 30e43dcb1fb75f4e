"""What the public_pages room does on the portal's events."""

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from protos.wayvault.events.v1.events_pb2 import PublicPageNamed
from services.crm.access.public_pages.service import PublicPages


def register(handlers: EventHandlers, pages: PublicPages) -> None:
    """Adds the room's handler, which is safe to run again."""

    def on_named(session: Session, message: PublicPageNamed, meta: EventMeta) -> None:
        pages.learn_named(session, message.agent_id, meta.agency_id, message.name)

    handlers.on(PublicPageNamed, on_named)
