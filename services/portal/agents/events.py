"""What the agents room does on the CRM's events."""

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from protos.wayvault.events.v1.events_pb2 import AgentSaved, PublicPageChosen
from services.portal.agents.service import Agents


def subscribe(handlers: EventHandlers, agents: Agents) -> None:
    """Registers the room's handlers."""

    def on_saved(session: Session, message: AgentSaved, _: EventMeta) -> None:
        agents.learn(session, message.agent, message.agency, active=message.active)

    def on_chosen(session: Session, message: PublicPageChosen, meta: EventMeta) -> None:
        agents.learn_chosen(session, message, meta.agency_id)

    handlers.on(AgentSaved, on_saved)
    handlers.on(PublicPageChosen, on_chosen)
