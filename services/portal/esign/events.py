"""What the eSignature room does on the CRM's events."""

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from chassis.timestamps import moment_of
from protos.wayvault.events.v1.events_pb2 import EsignRequested, EsignWithdrawn
from services.portal.esign.request_rules import RequestKind
from services.portal.esign.requests import NewRequest, SignRequests


def subscribe(handlers: EventHandlers, requests: SignRequests) -> None:
    """Registers the room's handlers."""

    def on_requested(session: Session, message: EsignRequested, meta: EventMeta) -> None:
        new = NewRequest(
            request_id=message.request_id,
            kind=RequestKind.DOCUMENT,
            booking_id=message.booking_id,
            booking_title=message.booking_title,
            agency=message.agency,
            agent=message.agent,
            signer=message.signer,
            title=message.title,
            text=message.text,
            text_sha256=message.text_sha256,
            text_version=message.template_version,
            token_sha256=message.token_sha256,
            issue=message.issue,
            issued_at=meta.occurred_at,
            expires_at=moment_of(message.expires_at),
        )
        requests.learn(session, new)

    def on_withdrawn(session: Session, message: EsignWithdrawn, _: EventMeta) -> None:
        requests.withdraw(session, message.request_id)

    handlers.on(EsignRequested, on_requested)
    handlers.on(EsignWithdrawn, on_withdrawn)
