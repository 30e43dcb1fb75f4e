"""The closed list of events: whatever message of events.proto carries the `(event)` option.

The option is read from the descriptors, so the list can't drift from the protos. Importing this module fails when the
declarations contradict each other.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from protos.wayvault.events.v1 import events_pb2
from protos.wayvault.events.v1.options_pb2 import event as event_option

MessageClass = type[Message]

SERVICES = frozenset({"crm", "portal", "notifier"})
_TYPE = re.compile(r"[a-z][a-z_]*\.[a-z][a-z_]*")


class CatalogueError(ImportError):
    """The events' declarations contradict each other, or something uses a message that is no event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """One kind of event: its type ("payment.voided"), its aggregate, the one service that may publish it."""

    type: str
    aggregate: str
    producer: str
    message_class: MessageClass

    @property
    def routing_key(self) -> str:
        """The topic it is published under."""
        return routing_key(self.type)


def routing_key(event_type: str) -> str:
    """The topic of an event type: "<aggregate>.<fact>.v1"."""
    return f"{event_type}.v1"


def aggregate_pattern(aggregate: str) -> str:
    """The binding that brings every event of an aggregate, also types that this version does not know yet."""
    return f"{aggregate}.*.v1"


def build(message_classes: Iterable[MessageClass]) -> Mapping[str, EventType]:
    """The catalogue of those classes that declare an event. Raises CatalogueError."""
    found: dict[str, EventType] = {}
    for message_class in message_classes:
        options = message_class.DESCRIPTOR.GetOptions()
        if not options.HasExtension(event_option):
            continue
        declared = options.Extensions[event_option]
        name = message_class.DESCRIPTOR.full_name
        if not _TYPE.fullmatch(declared.type) or declared.type.partition(".")[0] != declared.aggregate:
            raise CatalogueError(f"{name}: the type {declared.type!r} must be <aggregate>.<fact> of its aggregate")
        if declared.producer not in SERVICES:
            raise CatalogueError(f"{name}: no service is called {declared.producer!r}")
        if declared.type in found:
            raise CatalogueError(f"{name}: the type {declared.type!r} is declared twice")
        found[declared.type] = EventType(
            type=declared.type, aggregate=declared.aggregate, producer=declared.producer, message_class=message_class
        )
    return MappingProxyType(found)


CATALOGUE = build(GetMessageClass(descriptor) for descriptor in events_pb2.DESCRIPTOR.message_types_by_name.values())
_BY_NAME = {entry.message_class.DESCRIPTOR.full_name: entry for entry in CATALOGUE.values()}


def event_type_of(message: Message | MessageClass) -> EventType:
    """The declaration of an event's message or class. Raises CatalogueError for a message that is no event."""
    name = message.DESCRIPTOR.full_name
    if name not in _BY_NAME:
        raise CatalogueError(f"{name} declares no (event) option in events.proto, so it can't travel over the bus")
    return _BY_NAME[name]
