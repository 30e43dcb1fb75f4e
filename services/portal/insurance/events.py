"""What the insurance room does on the CRM's events."""

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from chassis.money import Money
from chassis.timestamps import moment_of
from protos.wayvault.events.v1.events_pb2 import InsuranceOffered, InsuranceWithdrawn
from services.portal.esign.service import NewRequest, RequestKind, SignRequests


def subscribe(handlers: EventHandlers, requests: SignRequests) -> None:
    """Registers the room's handlers."""

    def on_offered(session: Session, message: InsuranceOffered, meta: EventMeta) -> None:
        new = NewRequest(
            request_id=message.offer_id,
            kind=RequestKind.INSURANCE,
            booking_id=message.booking_id,
            booking_title=message.booking_title,
            agency=message.agency,
            agent=message.agent,
            signer=message.passenger,
            title=message.plan,
            text=message.text,
            text_sha256=message.text_sha256,
            text_version=message.template_version,
            token_sha256=message.token_sha256,
            price=Money(minor=message.price.minor, currency=message.price.currency),
            issue=message.issue,
            issued_at=meta.occurred_at,
            expires_at=moment_of(message.expires_at),
        )
        requests.learn(session, new)

    def on_withdrawn(session: Session, message: InsuranceWithdrawn, _: EventMeta) -> None:
        requests.withdraw(session, message.offer_id)

    handlers.on(InsuranceOffered, on_offered)
    handlers.on(InsuranceWithdrawn, on_withdrawn)
