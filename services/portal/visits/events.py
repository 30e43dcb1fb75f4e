"""What the visits room does on the events of CRM and notifier."""

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from protos.wayvault.events.v1.events_pb2 import (
    DeliverySent,
    EsignWithdrawn,
    InsuranceWithdrawn,
    PaymentLinkRevoked,
    VisitAsked,
    VisitWithdrawn,
)
from services.portal.visits.models import VisitPartRow, VisitRow
from services.portal.visits.service import Visits


def subscribe(handlers: EventHandlers, visits: Visits) -> None:
    """Registers the room's handlers. Of a part that is taken back, its own room is told first."""

    def on_asked(session: Session, message: VisitAsked, meta: EventMeta) -> None:
        visits.learn(session, message, meta.occurred_at)

    def on_delivered(session: Session, message: DeliverySent, _: EventMeta) -> None:
        if message.kind == "visit" and message.link_id:
            visits.note_sent(session, message)

    def on_withdrawn(session: Session, message: VisitWithdrawn, _: EventMeta) -> None:
        visits.look_soon(session, VisitRow.visit_id == message.visit_id)

    def on_link_revoked(session: Session, message: PaymentLinkRevoked, _: EventMeta) -> None:
        visits.look_soon(session, _with_part(message.link_id))

    def on_document_withdrawn(session: Session, message: EsignWithdrawn, _: EventMeta) -> None:
        visits.look_soon(session, _with_part(message.request_id))

    def on_offer_withdrawn(session: Session, message: InsuranceWithdrawn, _: EventMeta) -> None:
        visits.look_soon(session, _with_part(message.offer_id))

    handlers.on(VisitAsked, on_asked)
    handlers.on(VisitWithdrawn, on_withdrawn)
    handlers.on(DeliverySent, on_delivered)
    handlers.on(PaymentLinkRevoked, on_link_revoked)
    handlers.on(EsignWithdrawn, on_document_withdrawn)
    handlers.on(InsuranceWithdrawn, on_offer_withdrawn)


def _with_part(part_id: str) -> ColumnElement[bool]:
    return VisitRow.visit_id.in_(select(VisitPartRow.visit_id).where(VisitPartRow.part_id == part_id))
