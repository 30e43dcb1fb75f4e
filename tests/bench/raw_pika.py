"""pika as its manual shows it: publishing persistent, mandatory, confirmed messages, one by one or in batches."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

import pika
from pika.channel import Channel

_READY_SECONDS = 20.0
_CONFIRM_SECONDS = 60.0


def properties() -> pika.BasicProperties:
    """What makes a message survive the broker's restart."""
    return pika.BasicProperties(delivery_mode=pika.DeliveryMode.Persistent, content_type="application/protobuf")


class OneByOne:
    """BlockingConnection: each message's confirm is awaited before the next is sent."""

    def __init__(self, parameters: pika.URLParameters, exchange: str, key: str) -> None:
        self._connection = pika.BlockingConnection(parameters)
        self._channel = self._connection.channel()
        self._channel.confirm_delivery()
        self._exchange, self._key = exchange, key

    def publish(self, body: bytes) -> None:
        self._channel.basic_publish(self._exchange, self._key, body, properties(), mandatory=True)

    def close(self) -> None:
        self._connection.close()


class Batched:
    """SelectConnection on a thread of its own: a batch is sent, then all its confirms are awaited."""

    def __init__(self, parameters: pika.URLParameters, exchange: str, key: str) -> None:
        self._exchange, self._key = exchange, key
        self._ready: Future[Channel] = Future()
        self._done: Future[None] = Future()
        self._sent = self._confirmed = 0
        self._connection = pika.SelectConnection(
            parameters, on_open_callback=lambda opened: opened.channel(on_open_callback=self._on_channel)
        )
        self._thread = threading.Thread(target=self._connection.ioloop.start, daemon=True)
        self._thread.start()
        self._channel = self._ready.result(_READY_SECONDS)

    def publish(self, bodies: Sequence[bytes]) -> None:
        self._done = Future()
        self._connection.ioloop.add_callback_threadsafe(partial(self._send, bodies))
        self._done.result(_CONFIRM_SECONDS)

    def close(self) -> None:
        self._connection.ioloop.add_callback_threadsafe(self._connection.close)
        self._thread.join(5)

    def _on_channel(self, channel: Channel) -> None:
        channel.confirm_delivery(self._on_confirm, callback=lambda _: self._ready.set_result(channel))

    def _send(self, bodies: Sequence[bytes]) -> None:
        self._sent += len(bodies)
        for body in bodies:
            self._channel.basic_publish(self._exchange, self._key, body, properties(), mandatory=True)

    def _on_confirm(self, frame: Any) -> None:  # Any: pika's
        if not isinstance(frame.method, pika.spec.Basic.Ack):
            self._done.set_exception(RuntimeError("the broker refused a message"))
            return
        tag: int = frame.method.delivery_tag
        # Tags count from 1, and so do we: all up to this one, or this one.
        self._confirmed = max(self._confirmed, tag) if frame.method.multiple else self._confirmed + 1
        if self._confirmed >= self._sent and not self._done.done():
            self._done.set_result(None)
