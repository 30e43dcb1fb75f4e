"""What the agents room does on the CRM's events."""

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from protos.wayvault.events.v1.events_pb2 import AgentSaved
from services.portal.agents.service import Agents


def subscribe(handlers: EventHandlers, agents: Agents) -> None:
    """Registers the room's handlers."""

    def on_saved(session: Session, message: AgentSaved, _: EventMeta) -> None:
        agents.learn(session, message.agent, message.agency, active=message.active)

    handlers.on(AgentSaved, on_saved)
