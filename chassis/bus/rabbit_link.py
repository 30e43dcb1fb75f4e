"""How we connect to RabbitMQ, and the topology; every declaration is safe to repeat."""

import ssl
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError

from chassis.bus.port import DELIVERY_LIMIT, BusUnavailable, TlsPaths

EVENTS = "wayvault.events"
DEAD = "wayvault.dead"
_HEARTBEAT_SECONDS = 30
_BLOCKED_SECONDS = 15
_CONNECT_SECONDS = 5
# Listing dead letters hands them out and back; RabbitMQ 4 would drop them after 20 times if nothing were said.
_NO_LIMIT = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message on its way to the broker."""

    exchange: str
    routing_key: str
    body: bytes
    properties: pika.BasicProperties


class Link:
    """Where the broker is and who we are to it. Never logged, never shown: it holds the password."""

    def __init__(self, url: str, *, service: str, tls: TlsPaths | None) -> None:
        self._url = url
        self._service = service
        self._tls = tls

    def parameters(self, purpose: str) -> pika.URLParameters:
        """Connection parameters; `purpose` shows in the broker's list of connections."""
        parameters = pika.URLParameters(self._url)
        parameters.heartbeat = _HEARTBEAT_SECONDS
        parameters.blocked_connection_timeout = _BLOCKED_SECONDS
        parameters.socket_timeout = _CONNECT_SECONDS
        parameters.stack_timeout = 2 * _CONNECT_SECONDS
        parameters.connection_attempts = 1
        parameters.client_properties = {"connection_name": f"wayvault-{self._service} {purpose}"}
        if self._url.startswith("amqps://"):
            parameters.ssl_options = pika.SSLOptions(self._tls_context(), parameters.host)
        return parameters

    def _tls_context(self) -> ssl.SSLContext:
        if self._tls is None:
            raise BusUnavailable("amqps needs a CA, a certificate and a key")
        context = ssl.create_default_context(cafile=str(self._tls.ca))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(str(self._tls.cert), str(self._tls.key))
        return context

    def connect(self, purpose: str) -> pika.BlockingConnection:
        """A new connection. Raises BusUnavailable; its text names the kind of fault only."""
        try:
            return pika.BlockingConnection(self.parameters(purpose))
        except (AMQPError, OSError, ValueError) as error:
            raise BusUnavailable(f"can't connect to the broker: {type(error).__name__}") from None

    @contextmanager
    def channel(self, purpose: str) -> Iterator[BlockingChannel]:
        """A channel for a short piece of work on the calling thread. Raises BusUnavailable."""
        connection = self.connect(purpose)
        try:
            yield connection.channel()
        except (AMQPError, OSError) as error:
            raise BusUnavailable(f"the broker failed: {type(error).__name__}") from None
        finally:
            if connection.is_open:
                connection.close()


def queue_name(service: str) -> str:
    """The queue of a consuming service."""
    return f"wayvault.{service}"


def replay_key(service: str) -> str:
    """The routing key that leads to one service's queue only."""
    return f"replay.{service}"


def declare_shared(channel: BlockingChannel) -> None:
    """The exchanges and the queue of dead letters, which all services share."""
    channel.exchange_declare(EVENTS, "topic", durable=True)
    channel.exchange_declare(DEAD, "topic", durable=True)
    channel.queue_declare(DEAD, durable=True, arguments={"x-queue-type": "quorum", "x-delivery-limit": _NO_LIMIT})
    channel.queue_bind(DEAD, DEAD, "#")


def declare_queue(channel: BlockingChannel, service: str, patterns: Collection[str]) -> None:
    """A service's queue and its bindings. Dead-lettering at least once needs overflow to be refused, not dropped."""
    declare_shared(channel)
    queue = queue_name(service)
    channel.queue_declare(
        queue,
        durable=True,
        arguments={
            "x-queue-type": "quorum",
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-dead-letter-exchange": DEAD,
            "x-dead-letter-routing-key": service,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        },
    )
    for pattern in (*sorted(patterns), replay_key(service)):
        channel.queue_bind(queue, EVENTS, pattern)
