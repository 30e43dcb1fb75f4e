"""What the registrations room does on the CRM's events."""

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from protos.wayvault.events.v1.events_pb2 import RegistrationAnswered
from services.portal.registrations.service import Registrations


def subscribe(handlers: EventHandlers, registrations: Registrations) -> None:
    """Registers the room's handlers."""

    def on_answered(session: Session, message: RegistrationAnswered, _: EventMeta) -> None:
        registrations.learn_answered(session, message)

    handlers.on(RegistrationAnswered, on_answered)
