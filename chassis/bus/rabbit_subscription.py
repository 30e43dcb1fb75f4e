"""Reading a service's queue: the connection on its own I/O thread, the work on the caller's."""

import queue
import threading
from collections.abc import Collection
from contextlib import suppress
from functools import partial

import pika
import structlog
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError
from pika.spec import Basic, BasicProperties

from chassis.backoff import grown, spread
from chassis.bus.rabbit_link import Link, declare_queue, queue_name, replay_key

log = structlog.get_logger(__name__)

_PREFETCH = 20
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 10.0
_BIND_SECONDS = 10.0
_CLOSE_SECONDS = 10.0


class RabbitDelivery:
    """See chassis.bus.port.Delivery."""

    def __init__(
        self, connection: pika.BlockingConnection, channel: BlockingChannel, method: Basic.Deliver, body: bytes
    ) -> None:
        self._connection = connection
        self._channel = channel
        self._tag = method.delivery_tag
        self.body = body
        self.replayed = False
        self.handed_out_before = bool(method.redelivered)

    def ack(self) -> None:
        self._on_io_thread(partial(self._channel.basic_ack, self._tag))

    def reject(self, reason: str) -> None:
        self._on_io_thread(partial(self._channel.basic_reject, self._tag, requeue=False))

    def _on_io_thread(self, action: "partial[None]") -> None:
        """A channel that was lost has given the message back already, so there is nothing left to settle."""

        def settle() -> None:
            if self._channel.is_open:
                action()

        try:
            self._connection.add_callback_threadsafe(settle)
        except AMQPError:
            return


class RabbitSubscription:
    """See chassis.bus.port.Subscription."""

    def __init__(self, link: Link, service: str, patterns: Collection[str]) -> None:
        self._link = link
        self._service = service
        self._patterns = frozenset(patterns)
        self._deliveries: queue.SimpleQueue[RabbitDelivery] = queue.SimpleQueue()
        # Taken out of the queue and then left for the next receive.
        self._put_back: RabbitDelivery | None = None
        self._closing = threading.Event()
        self._bound = threading.Event()
        self._failures = 0
        self._connection: pika.BlockingConnection | None = None
        self._thread = threading.Thread(target=self._run, name=f"bus-{service}", daemon=True)
        self._thread.start()
        self._bound.wait(_BIND_SECONDS)

    def receive(self, timeout: float) -> RabbitDelivery | None:
        if (held := self._put_back) is not None:
            self._put_back = None
            return held
        try:
            return self._deliveries.get(timeout=timeout)
        except queue.Empty:
            return None

    def receive_fresh(self, most: int) -> list[RabbitDelivery]:
        found: list[RabbitDelivery] = []
        while len(found) < most and self._put_back is None:
            try:
                delivery = self._deliveries.get_nowait()
            except queue.Empty:
                break
            if delivery.handed_out_before:
                self._put_back = delivery
            else:
                found.append(delivery)
        return found

    def close(self) -> None:
        """Waits until the acknowledgements given so far are on their way; what is in hand goes back."""
        self._closing.set()
        connection = self._connection
        if connection is not None:
            with suppress(AMQPError):
                connection.add_callback_threadsafe(lambda: None)  # ends the wait for data
        self._thread.join(_CLOSE_SECONDS)

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._connection = self._link.connect("consume")
                self._consume(self._connection)
            # Whatever it is: without this thread nothing would be consumed any more, and nobody told.
            except Exception as error:
                log.warning("bus.consumer_disconnected", bus_service=self._service, cause=type(error).__name__)
                self._link.elsewhere()
            finally:
                self._forget()
            pause = spread(grown(_FIRST_PAUSE, self._failures, _LONGEST_PAUSE))
            self._failures += 1
            self._closing.wait(pause)

    def _consume(self, connection: pika.BlockingConnection) -> None:
        channel = connection.channel()
        declare_queue(channel, self._service, self._patterns)
        channel.basic_qos(prefetch_count=_PREFETCH)
        channel.basic_consume(queue_name(self._service), partial(self._on_message, connection))
        self._bound.set()
        self._failures = 0
        while not self._closing.is_set():
            connection.process_data_events(time_limit=1.0)
        connection.process_data_events(time_limit=0)
        connection.close()

    def _on_message(
        self,
        connection: pika.BlockingConnection,
        channel: BlockingChannel,
        method: Basic.Deliver,
        _: BasicProperties,
        body: bytes,
    ) -> None:
        delivery = RabbitDelivery(connection, channel, method, body)
        delivery.replayed = method.routing_key == replay_key(self._service)
        self._deliveries.put(delivery)

    def _forget(self) -> None:
        """What was prefetched over a lost connection comes again over the next one."""
        connection, self._connection = self._connection, None
        if connection is not None and connection.is_open:
            with suppress(AMQPError):
                connection.close()
        while True:
            try:
                self._deliveries.get_nowait()
            except queue.Empty:
                return
