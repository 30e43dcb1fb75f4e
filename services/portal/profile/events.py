"""What the portal does on client.saved: profile, account and agent follow the CRM."""

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from protos.wayvault.events.v1.events_pb2 import ClientRemoved, ClientSaved
from services.portal.account.service import Accounts
from services.portal.agents.service import Agents
from services.portal.profile.service import Profiles


def subscribe(handlers: EventHandlers, *, profiles: Profiles, accounts: Accounts, agents: Agents) -> None:
    """Registers the room's handlers."""

    def on_saved(session: Session, message: ClientSaved, meta: EventMeta) -> None:
        agents.learn_if_new(session, message.agent, message.agency)
        accounts.learn_client(session, message.client, message.agent_id)
        if message.HasField("profile"):
            profiles.learn(session, message.profile, meta.agency_id)

    def on_removed(session: Session, message: ClientRemoved, _: EventMeta) -> None:
        profiles.forget(session, message.client_id)

    handlers.on(ClientSaved, on_saved)
    handlers.on(ClientRemoved, on_removed)
