"""What the quotes room does on the portal's events."""

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from protos.wayvault.events.v1.events_pb2 import ClientRegistered, QuoteRequested
from services.crm.trips.quotes.service import Quotes


def register(handlers: EventHandlers, quotes: Quotes) -> None:
    """Adds this room's handlers. A request and its registration may arrive in either order, each more than once."""

    def on_registered(session: Session, message: ClientRegistered, meta: EventMeta) -> None:
        quotes.learn_registered(session, message, meta.agency_id)

    def on_requested(session: Session, message: QuoteRequested, meta: EventMeta) -> None:
        quotes.learn_requested(session, message, meta.agency_id)

    handlers.on(ClientRegistered, on_registered)
    handlers.on(QuoteRequested, on_requested)
