"""What the reminders room does on the notifier's events. What it publishes is made in messages.py."""

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from protos.wayvault.events.v1.events_pb2 import ReminderSettled
from services.crm.paying.reminders.log import ReminderLog


def register(handlers: EventHandlers, log: ReminderLog) -> None:
    """Adds this room's handlers."""

    def on_settled(session: Session, message: ReminderSettled, meta: EventMeta) -> None:
        log.learn_settled(session, message, meta.agency_id)

    handlers.on(ReminderSettled, on_settled)
