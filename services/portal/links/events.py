"""What the links room does on the CRM's and the notifier's events."""

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from chassis.timestamps import moment_of
from protos.wayvault.events.v1.events_pb2 import DeliverySent, PaymentLinkIssued, PaymentLinkRevoked
from services.portal.evidence import EvidenceStep, StepKind
from services.portal.links.service import Links, add_evidence

# The mails that bring a person a link at whose end they sign: that they left is a step of the evidence.
_LINK_MAILS = frozenset({"payment_link", "esign_request", "insurance_offer"})


def subscribe(handlers: EventHandlers, links: Links) -> None:
    """Registers the room's handlers."""

    def on_issued(session: Session, message: PaymentLinkIssued, meta: EventMeta) -> None:
        links.learn_issued(session, message, meta.occurred_at)

    def on_revoked(session: Session, message: PaymentLinkRevoked, _: EventMeta) -> None:
        links.learn_revoked(session, message.link_id)

    def on_delivered(session: Session, message: DeliverySent, _: EventMeta) -> None:
        if message.kind not in _LINK_MAILS or not message.link_id:
            return
        step = EvidenceStep(kind=StepKind.LINK_SENT, at=moment_of(message.at), detail="by e-mail")
        add_evidence(session, message.link_id, step, ref=message.delivery_id)

    handlers.on(PaymentLinkIssued, on_issued)
    handlers.on(PaymentLinkRevoked, on_revoked)
    handlers.on(DeliverySent, on_delivered)
