"""What the people room does on the CRM's events."""

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from protos.wayvault.events.v1.events_pb2 import AgentSaved
from services.portal.people.service import People


def subscribe(handlers: EventHandlers, people: People) -> None:
    """Registers the room's handlers."""

    def on_saved(session: Session, message: AgentSaved, _: EventMeta) -> None:
        people.learn(session, message.agent, message.agency, active=message.active)

    handlers.on(AgentSaved, on_saved)
