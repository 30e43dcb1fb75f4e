"""What the registrations room does on the portal's events."""

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from protos.wayvault.events.v1.events_pb2 import RegistrationProven
from services.crm.sales.registrations.service import Registrations


def register(handlers: EventHandlers, registrations: Registrations) -> None:
    """Adds this room's handlers."""

    def on_proven(session: Session, message: RegistrationProven, meta: EventMeta) -> None:
        registrations.learn_proven(session, message, meta.agency_id)

    handlers.on(RegistrationProven, on_proven)
