"""What a service does on the events it consumes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from google.protobuf.message import Message
from sqlalchemy.orm import Session

from chassis.bus.catalogue import CatalogueError, aggregate_pattern, event_type_of

MessageT = TypeVar("MessageT", bound=Message)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventMeta:
    """The envelope around an event. `replayed`: an operator took it out of the dead letters, so newer events of the
    same aggregate may have been acted upon before it."""

    event_id: str
    type: str
    aggregate_type: str
    aggregate_id: str
    sequence: int
    occurred_at: datetime
    producer: str
    agency_id: str
    traceparent: str
    replayed: bool = False


class RetryLater(Exception):
    """Raised by a handler for a passing fault that is not the event's: try again in `seconds`, later each time.

    It does not count as an attempt, so it never leads to the dead letters.
    """

    def __init__(self, seconds: float = 2.0) -> None:
        self.seconds = seconds
        super().__init__(f"try again in {seconds:g} s")


Handler = Callable[[Session, MessageT, EventMeta], None]
Before = Callable[[MessageT, EventMeta], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """What happens on one event type, in this order; nothing where the event is ignored. See EventHandlers.on."""

    message_class: type[Message]
    handlers: tuple[Callable[[Session, Any, EventMeta], None], ...] = ()
    befores: tuple[Callable[[Any, EventMeta], None], ...] = ()

    def handle(self, session: Session, message: Message, meta: EventMeta) -> None:
        """Runs every handler in the caller's transaction: all take effect, or none."""
        for handler in self.handlers:
            handler(session, message, meta)

    def prepare(self, message: Message, meta: EventMeta) -> None:
        """Runs what must happen before the transaction."""
        for before in self.befores:
            before(message, meta)


class EventHandlers:
    """The reactions of one service, by event type.

    Several rooms may react to one type. They do so in the order in which they were added, inside one transaction; the
    service's worker adds them, so that the order is read in one place.
    """

    def __init__(self) -> None:
        self._reactions: dict[str, Reaction] = {}

    def on(
        self,
        message_class: type[MessageT],
        handler: Handler[MessageT],
        *,
        before: Before[MessageT] | None = None,
    ) -> None:
        """Has `handler(session, message, meta)` called once per event, inside the inbox's transaction.

        It does its effect with that session. Return = commit and acknowledge. An exception = rollback and another
        attempt after growing pauses; after five attempts the event goes to the dead letters. RetryLater, and
        chassis.errors' Unavailable, DeadlineTooShort and Busy, are passing faults and don't count.

        `before(message, meta)` runs first and outside of any transaction, for a call over the network that must not
        hold the database's lock. It may run more than once, so what it does must be idempotent.
        """
        known = self._reactions.get(event_type_of(message_class).type) or Reaction(message_class=message_class)
        if handler in known.handlers:
            raise CatalogueError(f"{event_type_of(message_class).type} was given the same handler twice")
        self._reactions[event_type_of(message_class).type] = Reaction(
            message_class=message_class,
            handlers=(*known.handlers, handler),
            befores=known.befores if before is None else (*known.befores, before),
        )

    def ignore(self, message_class: type[Message]) -> None:
        """Says that this service knows the event and has nothing to do on it. The event is still received, so that
        publishing it is not refused for want of a reader."""
        self._reactions.setdefault(event_type_of(message_class).type, Reaction(message_class=message_class))

    def reaction(self, event_type: str) -> Reaction | None:
        """The reaction to an event type; None when there is none."""
        return self._reactions.get(event_type)

    def types(self) -> frozenset[str]:
        """The event types that have a reaction."""
        return frozenset(self._reactions)

    def patterns(self) -> frozenset[str]:
        """What the service's queue binds to: **whole aggregates**, not single types.

        Sequence numbers run per producer and aggregate over all its types. A queue that had only some of them would
        see gaps that are none. So it takes every event of the aggregates it has reactions for, and those without a
        reaction (also of types that a newer producer knows and this version doesn't) only advance the sequence.
        """
        declared = (event_type_of(reaction.message_class) for reaction in self._reactions.values())
        return frozenset(aggregate_pattern(entry.aggregate) for entry in declared)
