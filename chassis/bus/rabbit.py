"""The bus on RabbitMQ (AMQP 0-9-1 through pika).

Topic exchange wayvault.events; one quorum queue wayvault.<service> per consuming service, with a delivery limit; dead
letters go, at least once, through the topic exchange wayvault.dead (routing key: the service) into the quorum queue of
the same name. A replayed event goes back through wayvault.events under `replay.<service>`, so no service needs the
right to write into another's queue.

What a service's broker user needs: configure, write and read on `wayvault.events`, `wayvault.dead` and
`wayvault.<service>`, nothing else.
"""

from collections.abc import Collection, Sequence

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError

from chassis.bus.catalogue import routing_key
from chassis.bus.port import BusUnavailable, DeadLetter, TlsPaths, facts_of
from chassis.bus.rabbit_link import (
    DEAD,
    EVENTS,
    Link,
    Outgoing,
    declare_queue,
    declare_shared,
    queue_name,
    replay_key,
)
from chassis.bus.rabbit_publisher import Publisher
from chassis.bus.rabbit_subscription import RabbitSubscription
from protos.wayvault.events.v1.envelope_pb2 import Envelope

_LISTED = 1000
_REASON = "x-wayvault-reason"

__all__ = ["RabbitBus", "queue_name"]


class RabbitBus:
    """See chassis.bus.port.Bus. Safe to share between threads; connects on first use, so after a fork."""

    def __init__(self, url: str, *, service: str, tls: TlsPaths | None) -> None:
        self._link = Link(url, service=service, tls=tls)
        self._publisher = Publisher(self._link)

    def publish(self, envelopes: Sequence[Envelope]) -> None:
        self._publisher.publish(
            [
                Outgoing(
                    exchange=EVENTS,
                    routing_key=routing_key(envelope.type),
                    body=envelope.SerializeToString(),
                    properties=_properties(envelope),
                )
                for envelope in envelopes
            ]
        )

    def bind(self, service: str, patterns: Collection[str]) -> None:
        with self._link.channel("bind") as channel:
            declare_queue(channel, service, patterns)

    def subscribe(self, service: str, patterns: Collection[str]) -> RabbitSubscription:
        return RabbitSubscription(self._link, service, patterns)

    def waiting(self, service: str) -> int:
        with self._link.channel("waiting") as channel:
            return int(channel.queue_declare(queue_name(service), passive=True).method.message_count)

    def bury(self, envelope: Envelope, *, service: str, reason: str) -> None:
        properties = _properties(envelope, headers={_REASON: reason})
        letter = Outgoing(exchange=DEAD, routing_key=service, body=envelope.SerializeToString(), properties=properties)
        self._publisher.publish([letter])

    def dead_letters(self) -> Sequence[DeadLetter]:
        with self._link.channel("dead-letters") as channel:
            declare_shared(channel)
            found: list[DeadLetter] = []
            while len(found) < _LISTED:
                method, properties, body = channel.basic_get(DEAD)  # given back when the channel closes
                if method is None:
                    break
                found.append(
                    DeadLetter(
                        service=str(method.routing_key),
                        event_id=properties.message_id or "",
                        type=properties.type or "",
                        reason=_reason(properties),
                        size=len(body),
                        facts=facts_of(body),
                    )
                )
            return found

    def dead_letter_count(self) -> int:
        with self._link.channel("dead-letter-count") as channel:
            declare_shared(channel)
            return int(channel.queue_declare(DEAD, passive=True).method.message_count)

    def replay(self, service: str, event_ids: Collection[str] | None = None) -> int:
        with self._link.channel("replay") as channel:
            declare_queue(channel, service, ())
            channel.confirm_delivery()
            total = channel.queue_declare(DEAD, passive=True).method.message_count
            return sum(_replay_one(channel, service, event_ids) for _ in range(total))

    def drop(self, service: str, event_ids: Collection[str] | None = None) -> int:
        with self._link.channel("drop") as channel:
            declare_shared(channel)
            channel.confirm_delivery()
            total = channel.queue_declare(DEAD, passive=True).method.message_count
            return sum(_drop_one(channel, service, event_ids) for _ in range(total))

    def close(self) -> None:
        self._publisher.close()


def _drop_one(channel: BlockingChannel, service: str, event_ids: Collection[str] | None) -> int:
    """Takes the first dead letter: away if it is meant, else to the end, as in `_replay_one`."""
    method, properties, body = channel.basic_get(DEAD)
    if method is None:
        return 0
    meant = method.routing_key == service and (event_ids is None or properties.message_id in event_ids)
    if not meant:
        _publish_again(channel, (DEAD, str(method.routing_key)), body, properties)
    channel.basic_ack(method.delivery_tag)
    return int(meant)


def _replay_one(channel: BlockingChannel, service: str, event_ids: Collection[str] | None) -> int:
    """Takes the first dead letter: to its queue if it is wanted, else to the end of the dead letters. Both are
    published before the old copy is acknowledged; a crash in between leaves two, and the inbox drops one."""
    method, properties, body = channel.basic_get(DEAD)
    if method is None:
        return 0
    wanted = method.routing_key == service and (event_ids is None or properties.message_id in event_ids)
    target = (EVENTS, replay_key(service)) if wanted else (DEAD, str(method.routing_key))
    _publish_again(channel, target, body, properties)
    channel.basic_ack(method.delivery_tag)
    return int(wanted)


def _publish_again(
    channel: BlockingChannel, target: tuple[str, str], body: bytes, properties: pika.BasicProperties
) -> None:
    try:
        channel.basic_publish(*target, body, properties, mandatory=True)
    except AMQPError as error:
        raise BusUnavailable("the broker did not take an event that was to move") from error


def _properties(envelope: Envelope, headers: dict[str, str] | None = None) -> pika.BasicProperties:
    return pika.BasicProperties(
        delivery_mode=pika.DeliveryMode.Persistent.value,
        content_type="application/protobuf",
        message_id=envelope.event_id,
        type=envelope.type,
        app_id=envelope.producer,
        headers=headers,
    )


def _reason(properties: pika.BasicProperties) -> str:
    headers = properties.headers or {}
    return str(headers.get(_REASON) or headers.get("x-first-death-reason") or "unknown")
