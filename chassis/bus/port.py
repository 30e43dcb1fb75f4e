"""What a bus must do; RabbitMQ and the embedded bus do it, and one contract suite runs over both."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from google.protobuf.message import DecodeError

from chassis.timestamps import moment_of
from protos.wayvault.events.v1.envelope_pb2 import Envelope

# How often the bus hands the same message out before it goes to the dead letters by itself: the net under a message
# that kills the process, which the consumer's own counter can't see.
DELIVERY_LIMIT = 5


class BusUnavailable(Exception):
    """The bus can't be reached, or did not confirm. What was asked may or may not have happened: ask again."""


class Unroutable(Exception):
    """Some of the published events have no queue to go to; all others of the batch are confirmed."""

    def __init__(self, event_ids: Collection[str]) -> None:
        self.event_ids = frozenset(event_ids)
        super().__init__(f"{len(self.event_ids)} event(s) without a queue to go to")


class TlsPaths(Protocol):
    """The PEM files that a TLS client needs."""

    @property
    def ca(self) -> Path: ...
    @property
    def cert(self) -> Path: ...
    @property
    def key(self) -> Path: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A dead letter as an operator may see it: no content. `facts`: what its envelope says beside the payload, in
    words; empty for a body that is no envelope. `size`: of the whole body, in bytes."""

    service: str
    event_id: str
    type: str
    reason: str
    size: int = 0
    facts: Mapping[str, str] = field(default_factory=dict)


def facts_of(body: bytes) -> Mapping[str, str]:
    """What an operator may see of a message: ids and times, never a value of the payload."""
    try:
        envelope = Envelope.FromString(body)
    except DecodeError:
        return {}
    return {
        "agency": envelope.agency_id,
        "about": f"{envelope.aggregate_type} {envelope.aggregate_id}",
        "sequence": str(envelope.sequence),
        "occurred at": moment_of(envelope.occurred_at).isoformat(sep=" ", timespec="seconds"),
        "told by": envelope.producer,
        "trace": envelope.traceparent,
        "payload": f"{len(envelope.payload)} bytes, not shown",
    }


class Delivery(Protocol):
    """A message in hand. Unless it is settled it comes again: after a crash, or when the subscription closes."""

    @property
    def body(self) -> bytes:
        """A serialized Envelope, or whatever else someone put into the queue."""
        ...

    @property
    def replayed(self) -> bool:
        """Whether an operator took it out of the dead letters."""
        ...

    @property
    def handed_out_before(self) -> bool:
        """Whether a reader had it in hand before and did not settle it."""
        ...

    def ack(self) -> None:
        """Done with it. Never raises: a lost acknowledgement only means that the message comes again."""
        ...

    def reject(self, reason: str) -> None:
        """To the dead letters with it."""
        ...


class Subscription(Protocol):
    """A service's queue, being read by one thread."""

    def receive(self, timeout: float) -> Delivery | None:
        """The next message, or None after `timeout` seconds. Reconnects by itself; never raises."""
        ...

    def receive_fresh(self, most: int) -> Sequence[Delivery]:
        """The next messages that are at hand, in order and without waiting, up to the first that was handed out before:
        that one may have killed its reader, so it is to be taken alone. Never raises."""
        ...

    def close(self) -> None: ...


class Bus(Protocol):
    """Durable, at least once, per-aggregate order as long as nothing crashes."""

    def publish(self, envelopes: Sequence[Envelope]) -> None:
        """Returns once all are stored safely in every queue bound to them. Raises BusUnavailable or Unroutable."""
        ...

    def bind(self, service: str, patterns: Collection[str]) -> None:
        """Makes the queue wayvault.<service> and binds it, without reading it: before anybody publishes for the first
        time, so that no event finds no queue. Raises BusUnavailable."""
        ...

    def subscribe(self, service: str, patterns: Collection[str]) -> Subscription:
        """Reads the queue wayvault.<service>, made if absent and bound to `patterns` ("payment.*.v1")."""
        ...

    def waiting(self, service: str) -> int:
        """How many messages lie in the queue of `service`, which exists; those in a reader's hand may or may not count.
        Raises BusUnavailable."""
        ...

    def bury(self, envelope: Envelope, *, service: str, reason: str) -> None:
        """Puts a message that `service` can't act upon into its dead letters. Raises BusUnavailable."""
        ...

    def dead_letters(self) -> Sequence[DeadLetter]:
        """What lies in the dead letters (at most 1,000). Raises BusUnavailable."""
        ...

    def dead_letter_count(self) -> int:
        """How many lie there. Raises BusUnavailable."""
        ...

    def replay(self, service: str, event_ids: Collection[str] | None = None) -> int:
        """Gives dead letters of `service` (all, or those named) back to its queue, marked as replayed. Returns how
        many. Raises BusUnavailable."""
        ...

    def drop(self, service: str, event_ids: Collection[str] | None = None) -> int:
        """Destroys dead letters of `service` (all, or those named) for good. Returns how many. Raises
        BusUnavailable."""
        ...

    def close(self) -> None: ...
