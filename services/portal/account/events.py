"""What the account room does on the CRM's events."""

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from protos.wayvault.events.v1.events_pb2 import ClientPortalInvited, ClientPortalWithdrawn
from services.portal.account.service import Accounts


def subscribe(handlers: EventHandlers, accounts: Accounts) -> None:
    """Registers the room's handlers. What is told of one client comes in order (sequence per aggregate)."""

    def on_invited(session: Session, message: ClientPortalInvited, _: EventMeta) -> None:
        accounts.learn_invited(session, message)

    def on_withdrawn(session: Session, message: ClientPortalWithdrawn, _: EventMeta) -> None:
        accounts.learn_withdrawn(session, message.client_id)

    handlers.on(ClientPortalInvited, on_invited)
    handlers.on(ClientPortalWithdrawn, on_withdrawn)
