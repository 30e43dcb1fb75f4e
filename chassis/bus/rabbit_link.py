"""How we connect to RabbitMQ, and the topology; every declaration is safe to repeat."""

import os
import ssl
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.adapters.utils.connection_workflow import AMQPConnectorException
from pika.exceptions import AMQPError

from chassis.bus.port import DELIVERY_LIMIT, BusUnavailable, TlsPaths

EVENTS = "wayvault.events"
DEAD = "wayvault.dead"
# A node that stopped or was cut off breaks no connection: two silent intervals of it tell.
_HEARTBEAT_SECONDS = 10
_BLOCKED_SECONDS = 15
_CONNECT_SECONDS = 5
# The same where another node may be tried instead.
_CONNECT_TO_ONE_OF_SEVERAL_SECONDS = 2
# Listing dead letters hands them out and back; RabbitMQ 4 would drop them after 20 times if nothing were said.
_NO_LIMIT = 1_000_000_000
# A node that takes the connection and then says nothing, as a frozen one does, is told of by an error that is none of
# pika's AMQPErrors.
_CONNECT_FAULTS = (AMQPError, AMQPConnectorException, OSError, ValueError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message on its way to the broker."""

    exchange: str
    routing_key: str
    body: bytes
    properties: pika.BasicProperties


def node_urls(url: str) -> list[str]:
    """One URL for each node that `amqps://user:password@host:port,host:port/vhost` names. Raises ValueError."""
    scheme, _, rest = url.partition("://")
    place, slash, path = rest.partition("/")
    user, at, hosts = place.rpartition("@")
    found = [f"{scheme}://{user}{at}{host}{slash}{path}" for host in hosts.split(",") if host]
    if not found:
        raise ValueError("the URL of a broker needs a host")
    return found


class Link:
    """Where the broker's nodes are and who we are to them. Never logged, never shown: it holds the password.

    All connections go to one node; after a fault of it to the next.
    """

    def __init__(self, url: str, *, service: str, tls: TlsPaths | None) -> None:
        self._urls: Sequence[str] = node_urls(url)
        self._service = service
        self._tls = tls
        # Processes spread over the nodes.
        self._turn = os.getpid()

    def elsewhere(self) -> None:
        """The node at hand failed: whoever connects from now on goes to the next one first."""
        self._turn += 1

    def parameters(self, purpose: str) -> pika.URLParameters:
        """Connection parameters of the node at hand; `purpose` shows in the broker's list of connections."""
        url = self._urls[self._turn % len(self._urls)]
        parameters = pika.URLParameters(url)
        patience = _CONNECT_SECONDS if len(self._urls) == 1 else _CONNECT_TO_ONE_OF_SEVERAL_SECONDS
        parameters.heartbeat = _HEARTBEAT_SECONDS
        parameters.blocked_connection_timeout = _BLOCKED_SECONDS
        parameters.socket_timeout = patience
        parameters.stack_timeout = 2 * patience
        parameters.connection_attempts = 1
        parameters.client_properties = {"connection_name": f"wayvault-{self._service} {purpose}"}
        if url.startswith("amqps://"):
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
        """A new connection to the first node that takes one. Raises BusUnavailable; its text names the kind of fault
        only."""
        fault = "no node"
        for _ in self._urls:
            try:
                return pika.BlockingConnection(self.parameters(purpose))
            except _CONNECT_FAULTS as error:
                fault = type(error).__name__
                self.elsewhere()
        raise BusUnavailable(f"can't connect to the broker: {fault}")

    @contextmanager
    def channel(self, purpose: str) -> Iterator[BlockingChannel]:
        """A channel for a short piece of work on the calling thread. Raises BusUnavailable."""
        connection = self.connect(purpose)
        try:
            yield connection.channel()
        except (AMQPError, OSError) as error:
            self.elsewhere()
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
