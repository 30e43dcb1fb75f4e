"""What the insurance room does on the CRM's events."""

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from protos.wayvault.events.v1.events_pb2 import InsuranceOffered, InsuranceWithdrawn
from services.portal.esign.service import SignRequests
from services.portal.insurance.service import new_offer


def subscribe(handlers: EventHandlers, requests: SignRequests) -> None:
    """Registers the room's handlers."""

    def on_offered(session: Session, message: InsuranceOffered, meta: EventMeta) -> None:
        requests.learn(session, new_offer(message, meta.occurred_at))

    def on_withdrawn(session: Session, message: InsuranceWithdrawn, _: EventMeta) -> None:
        requests.withdraw(session, message.offer_id)

    handlers.on(InsuranceOffered, on_offered)
    handlers.on(InsuranceWithdrawn, on_withdrawn)
