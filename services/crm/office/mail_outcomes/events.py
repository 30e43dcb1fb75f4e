"""What the room of failed e-mails does on events of the notifier: keeps each failure until the mail left after all."""

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from protos.wayvault.events.v1.events_pb2 import DeliveryFailed, DeliverySent
from services.crm.office.mail_outcomes.service import note_failed, note_fate, note_sent


def register(handlers: EventHandlers) -> None:
    """Adds this room's handlers; each is safe to run again."""
    handlers.on(DeliverySent, sent)
    handlers.on(DeliveryFailed, failed)


def sent(session: Session, message: DeliverySent, meta: EventMeta) -> None:
    note_sent(session, message)
    note_fate(session, message, meta.agency_id)


def failed(session: Session, message: DeliveryFailed, meta: EventMeta) -> None:
    note_failed(session, message, meta.agency_id)
    note_fate(session, message, meta.agency_id)
