"""Calling another service: lazily opened channels, deadlines, typed errors."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Self, TypeVar

import grpc
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis.errors import DeadlineTooShort, Unavailable
from chassis.rpc.errors import from_rpc_error
from chassis.rpc.tls import TlsFiles, client_credentials
from chassis.telemetry import Span, SpanKind, span, traceparent

_log = structlog.get_logger("rpc.client")

Request = TypeVar("Request")
Response = TypeVar("Response")

# A lost connection is tried again by gRPC itself: every mutating call carries an idempotency key (or its reply
# key), and a call the server answered is never repeated (chassis.rpc.errors sets the push-back).
_SERVICE_CONFIG = (
    '{"methodConfig":[{"name":[{}],"retryPolicy":{"maxAttempts":3,"initialBackoff":"0.05s",'
    '"maxBackoff":"0.3s","backoffMultiplier":2,"retryableStatusCodes":["UNAVAILABLE"]}}]}'
)
_OPTIONS: tuple[tuple[str, str | int], ...] = (
    ("grpc.service_config", _SERVICE_CONFIG),
    ("grpc.enable_retries", 1),
    ("grpc.enable_http_proxy", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.max_receive_message_length", 1024 * 1024),
)


def open_channel(address: str, tls: TlsFiles, server_name: str) -> grpc.Channel:
    """A channel to `address` ("127.0.0.1:8105") that accepts only a server whose certificate names `server_name`.

    Nothing is opened, and no file read, before the first call. Once the
    files are replaced, the next call goes through a new connection made with the new ones (O5).
    """
    options = (*_OPTIONS, ("grpc.ssl_target_name_override", server_name))
    return _LazyChannel(lambda: grpc.secure_channel(address, client_credentials(tls), options), tls.fingerprint)


def demand_serving(channel: grpc.Channel, *, seconds: float = 2.0) -> None:
    """Asks the health service whether the server can do its work. Raises Unavailable when it can't, or is away."""
    try:
        answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=seconds)
    except (grpc.RpcError, OSError) as error:
        raise Unavailable from error
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        raise Unavailable


class Caller:
    """Makes calls with a deadline and raises `chassis.errors` for whatever goes wrong."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel

    def call(
        self,
        method: "grpc.UnaryUnaryMultiCallable[Request, Response]",
        request: Request,
        timeout: float = 5.0,
    ) -> Response:
        """The answer. `timeout` in seconds. Raises a WayvaultError: the server's refusal, or Unavailable."""
        if timeout <= 0:
            raise DeadlineTooShort
        try:
            with _calling(method):
                return method(request, timeout=timeout, metadata=_metadata())
        except grpc.RpcError as error:
            # `from None`: the transport's error carries the peer's bytes, which belong in no log.
            raise from_rpc_error(error) from None
        except OSError as error:
            raise _without_files(error) from error

    def stream(
        self,
        method: "grpc.UnaryStreamMultiCallable[Request, Response]",
        request: Request,
        timeout: float,
    ) -> Iterator[Response]:
        """The answers of a server-streaming method, one by one; errors as in `call`."""
        try:
            with _calling(method):
                answers = method(request, timeout=timeout, metadata=_metadata())
            yield from answers
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None
        except OSError as error:
            raise _without_files(error) from error

    def close(self) -> None:
        """Closes the channel; calls under way end as Unavailable."""
        self._channel.close()


def _without_files(error: OSError) -> Unavailable:
    """What a call is that can't be made because the own certificate can't be read; the operator reads which file."""
    _log.error("rpc.no_certificate", file=str(error.filename or error))
    return Unavailable()


def _calling(method: object) -> AbstractContextManager[Span]:
    name = str(getattr(method, "name", "call"))
    return span(name, kind=SpanKind.CLIENT, attributes={"rpc.system": "grpc", "rpc.method": name})


def _metadata() -> tuple[tuple[str, str], ...]:
    return (("traceparent", traceparent()),)


class _LazyChannel(grpc.Channel):
    """A channel that comes to be at the first call, so that stubs can be made before there are files or a server.

    When `fingerprint` tells of other files it is made anew. The one before is let go, not closed: calls under way on it
    end by themselves, and with the last one its connection goes.
    """

    def __init__(self, connect: Callable[[], grpc.Channel], fingerprint: Callable[[], object]) -> None:
        self._connect = connect
        self._fingerprint = fingerprint
        self._lock = threading.Lock()
        self._real: grpc.Channel | None = None
        self._made_of: object = None

    def real(self) -> grpc.Channel:
        """The channel. Raises OSError when there is none yet and its files can't be read."""
        real = self._real
        try:
            wanted = self._fingerprint()
        except OSError:  # a file that is being replaced: what is open serves on
            if real is None:
                raise
            return real
        if real is None or self._made_of != wanted:
            with self._lock:
                if self._real is None or self._made_of != wanted:
                    self._renew(wanted)
                real = self._real
        assert real is not None
        return real

    def _renew(self, wanted: object) -> None:
        try:
            self._real, self._made_of = self._connect(), wanted
        except OSError:
            # Half replaced: the next call looks again.
            if self._real is None:
                raise

    def unary_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:  # Any: gRPC's own generic signatures
        return _LazyMethod(method, self, lambda channel: channel.unary_unary(method, *args, **kwargs))

    def unary_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return _LazyMethod(method, self, lambda channel: channel.unary_stream(method, *args, **kwargs))

    def stream_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return _LazyMethod(method, self, lambda channel: channel.stream_unary(method, *args, **kwargs))

    def stream_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return _LazyMethod(method, self, lambda channel: channel.stream_stream(method, *args, **kwargs))

    def subscribe(self, callback: Callable[..., Any], try_to_connect: bool | None = False) -> None:
        self.real().subscribe(callback, bool(try_to_connect))

    def unsubscribe(self, callback: Callable[..., Any]) -> None:
        self.real().unsubscribe(callback)

    def close(self) -> None:
        with self._lock:
            if self._real is not None:
                self._real.close()
            self._real = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _LazyMethod:
    """One method of a lazy channel."""

    def __init__(self, name: str, channel: _LazyChannel, bind: Callable[[grpc.Channel], Any]) -> None:
        self.name = name.lstrip("/")
        self._channel = channel
        self._bind = bind
        self._bound: tuple[grpc.Channel, Any] | None = None

    def _method(self) -> Any:
        real = self._channel.real()
        bound = self._bound
        if bound is None or bound[0] is not real:
            bound = self._bound = (real, self._bind(real))
        return bound[1]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._method()(*args, **kwargs)

    def with_call(self, *args: Any, **kwargs: Any) -> Any:
        return self._method().with_call(*args, **kwargs)

    def future(self, *args: Any, **kwargs: Any) -> Any:
        return self._method().future(*args, **kwargs)
