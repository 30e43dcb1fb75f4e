"""Publishing in batches: all messages go out at once, then all confirms are awaited.

pika's BlockingConnection waits for each confirm before it sends the next message, which is one round trip (and on a
quorum queue one fsync) per event. So this is the one place that uses pika's asynchronous connection, on a thread of
its own that also answers heartbeats while nothing is published.
"""

import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from functools import partial
from typing import Any

import pika
import structlog
from pika.channel import Channel
from pika.exceptions import AMQPError
from pika.frame import Method
from pika.spec import Basic

from chassis.bus.port import BusUnavailable, Unroutable
from chassis.bus.rabbit_link import Link, Outgoing, declare_shared

log = structlog.get_logger(__name__)

_READY_SECONDS = 15.0
# An election of a queue's leader fits in; then another node is asked.
_CONFIRM_SECONDS = 10.0


class _Batch:
    """Messages that were sent together and wait for their confirms."""

    def __init__(self, size: int) -> None:
        self.missing = size
        self.refused = 0
        self.unroutable: set[str] = set()
        self.future: Future[None] = Future()

    def settle(self, *, confirmed: bool) -> None:
        self.missing -= 1
        self.refused += not confirmed
        if self.missing == 0 and not self.future.done():
            if self.refused:
                self.future.set_exception(BusUnavailable(f"the broker refused {self.refused} message(s)"))
            elif self.unroutable:
                self.future.set_exception(Unroutable(self.unroutable))
            else:
                self.future.set_result(None)

    def fail(self) -> None:
        if not self.future.done():
            self.future.set_exception(BusUnavailable("the connection to the broker was lost"))


class Publisher:
    """Publishes from any thread; one batch at a time."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._one_at_a_time = threading.Lock()
        self._session: _Session | None = None

    def publish(self, messages: list[Outgoing]) -> None:
        """Sends all and returns when the broker has them safely. Raises BusUnavailable or Unroutable."""
        if not messages:
            return
        with self._one_at_a_time:
            session = self._connected()
            try:
                session.publish(messages)
            except BusUnavailable:
                self._drop()
                self._link.elsewhere()
                raise

    def _connected(self) -> "_Session":
        if self._session is None or not self._session.alive:
            self._drop()
            with self._link.channel("declare") as channel:
                declare_shared(channel)
            try:
                self._session = _Session(self._link)
            except BusUnavailable:
                self._link.elsewhere()
                raise
        return self._session

    def _drop(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def close(self) -> None:
        with self._one_at_a_time:
            self._drop()


class _Session:
    """One connection with its I/O thread. All methods named `_on_…` and `_send` run on that thread."""

    def __init__(self, link: Link) -> None:
        self.alive = True
        self._channel: Channel | None = None
        self._ready: Future[None] = Future()
        self._pending: dict[int, _Batch] = {}
        self._by_message: dict[str, _Batch] = {}
        self._last_tag = 0
        self._connection = pika.SelectConnection(
            link.parameters("publish"),
            on_open_callback=self._on_open,
            on_open_error_callback=self._on_gone,
            on_close_callback=self._on_gone,
        )
        self._thread = threading.Thread(target=self._run, name="bus-publisher", daemon=True)
        self._thread.start()
        try:
            self._ready.result(_READY_SECONDS)
        except (FutureTimeout, BusUnavailable):
            self.close()
            raise BusUnavailable("can't open a channel for publishing") from None

    def publish(self, messages: list[Outgoing]) -> None:
        batch = _Batch(len(messages))
        self._connection.ioloop.add_callback_threadsafe(partial(self._send, messages, batch))
        try:
            batch.future.result(_CONFIRM_SECONDS)
        except FutureTimeout:
            raise BusUnavailable("the broker did not confirm in time") from None

    def close(self) -> None:
        if self.alive:
            self.alive = False
            self._connection.ioloop.add_callback_threadsafe(self._close)
        if self._thread is not threading.current_thread():
            self._thread.join(5)

    def _close(self) -> None:
        if self._connection.is_open or self._connection.is_closing:
            if self._connection.is_open:
                self._connection.close()
        else:
            self._connection.ioloop.stop()

    def _run(self) -> None:
        try:
            self._connection.ioloop.start()
        except Exception as error:
            log.error("bus.publisher_died", cause=type(error).__name__)
        finally:
            self._fail_all()
            self._connection.ioloop.close()

    def _on_open(self, connection: pika.SelectConnection) -> None:
        connection.channel(on_open_callback=self._on_channel)

    def _on_channel(self, channel: Channel) -> None:
        self._channel = channel
        channel.add_on_close_callback(self._on_channel_closed)
        channel.add_on_return_callback(self._on_return)
        channel.confirm_delivery(self._on_confirm, callback=self._on_selected)

    def _on_selected(self, _: Any) -> None:  # Any: pika's frame
        self._ready.set_result(None)

    def _send(self, messages: list[Outgoing], batch: _Batch) -> None:
        if self._channel is None or not self._channel.is_open:
            batch.fail()
            return
        for message in messages:
            self._last_tag += 1
            self._pending[self._last_tag] = batch
            self._by_message[message.properties.message_id] = batch
            try:
                self._channel.basic_publish(
                    message.exchange, message.routing_key, message.body, message.properties, mandatory=True
                )
            except AMQPError:
                batch.fail()
                return

    def _on_return(self, _: Channel, __: Basic.Return, properties: pika.BasicProperties, ___: bytes) -> None:
        """Comes before the message's confirm."""
        if (batch := self._by_message.get(properties.message_id)) is not None:
            batch.unroutable.add(properties.message_id)

    def _on_confirm(self, frame: Method) -> None:
        tag, confirmed = frame.method.delivery_tag, isinstance(frame.method, Basic.Ack)
        tags = [known for known in self._pending if known <= tag] if frame.method.multiple else [tag]
        for known in tags:
            if (batch := self._pending.pop(known, None)) is not None:
                batch.settle(confirmed=confirmed)
        if not self._pending:
            self._by_message.clear()

    def _on_channel_closed(self, _: Channel, __: Exception) -> None:
        self.alive = False
        self._fail_all()
        if self._connection.is_open:
            self._connection.close()

    def _on_gone(self, _: Any, error: Any) -> None:  # Any: connection, and exception or text, as pika has it
        self.alive = False
        log.info("bus.publisher_disconnected", cause=type(error).__name__)
        self._fail_all()
        self._connection.ioloop.stop()

    def _fail_all(self) -> None:
        self.alive = False
        if not self._ready.done():
            self._ready.set_exception(BusUnavailable("can't connect to the broker"))
        for batch in set(self._pending.values()):
            batch.fail()
        self._pending.clear()
        self._by_message.clear()
