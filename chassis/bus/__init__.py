"""Events between CRM, portal and notifier: outbox → relay → bus → consumer → inbox.

A service writes with `Outbox.add` inside its own transaction, runs a `Relay` and a `Consumer` in its worker, and
registers what it does on events in `EventHandlers`. Which bus carries them (RabbitMQ, or the embedded one) is a URL.
"""

from chassis.bus.catalogue import CATALOGUE, CatalogueError, EventType, event_type_of
from chassis.bus.connect import open_bus
from chassis.bus.consumer import Consumer, ConsumerPolicy
from chassis.bus.handlers import EventHandlers, EventMeta, RetryLater
from chassis.bus.outbox import Outbox, OutboxError, wake_at_commit
from chassis.bus.port import Bus, BusUnavailable, DeadLetter, Unroutable
from chassis.bus.relay import Relay, RelayPolicy
from chassis.bus.tables import EventTables
from chassis.bus.wake import waker_for

__all__ = [
    "CATALOGUE",
    "Bus",
    "BusUnavailable",
    "CatalogueError",
    "Consumer",
    "ConsumerPolicy",
    "DeadLetter",
    "EventHandlers",
    "EventMeta",
    "EventTables",
    "EventType",
    "Outbox",
    "OutboxError",
    "Relay",
    "RelayPolicy",
    "RetryLater",
    "Unroutable",
    "event_type_of",
    "open_bus",
    "wake_at_commit",
    "waker_for",
]
