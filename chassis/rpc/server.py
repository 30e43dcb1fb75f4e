"""A gRPC server with one gate in front of every method.

The gate, in this order: the bytes parse, the caller's certificate is on the method's list, a deadline is set and
long enough; then the handler runs; then whatever it raised becomes a typed refusal. One log line per call, with
no payload: method, caller, outcome, milliseconds.
"""

import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NoReturn, cast

import grpc
import structlog
from google.protobuf.message import DecodeError
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from chassis import errors
from chassis.lifecycle import forget_what_is_loaded
from chassis.rpc.authz import ANYONE, NOBODY, AllowList, identity_of
from chassis.rpc.calls import CallInfo, enter_call, leave_call
from chassis.rpc.errors import status_of, trailers_of
from chassis.rpc.overload import OVERLOADED, SheddingPool, must_refuse
from chassis.rpc.tls import TlsFiles, server_credentials
from chassis.telemetry import Histogram, Span, SpanKind, begin_span, failed, trace_id, within
from protos.wayvault.common.v1.common_pb2 import ErrorCode

MAX_MESSAGE: Final = 16 * 1024
# A caller that waits longer than this, or for ever, has set no deadline worth the name.
_LONGEST_DEADLINE: Final = 3600.0

# Check for everybody; Watch holds a worker for as long as the caller likes, and List names what is none of theirs.
_HEALTH: Final = "/grpc.health.v1.Health/"
HEALTH_ENTRIES: Final[Mapping[str, frozenset[str]]] = {
    _HEALTH + "Check": ANYONE,
    _HEALTH + "List": NOBODY,
    _HEALTH + "Watch": NOBODY,
}

_SECONDS: Final = Histogram("wayvault_rpc_seconds", "Calls served, by method and outcome.", ("method", "code"))

# Lost connections, lock and statement timeouts, an exhausted pool: the caller may simply try again.
_DATABASE_DOWN: Final = (OperationalError, InterfaceError, PoolTimeout)

# What is a fault of the server's, and no refusal that the caller asked for.
_FAULTS: Final = frozenset({"INTERNAL", "UNAVAILABLE"})

# Seconds for which the health service takes what it was told for true.
_READY_GOOD_FOR: Final = 1.0
_SERVING: Final = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING: Final = health_pb2.HealthCheckResponse.NOT_SERVING

log = structlog.get_logger("rpc")

# (the generated add_XServicer_to_server, the servicer)
Service = tuple[Callable[[Any, grpc.Server], None], Any]


class RpcServer:
    """A started or startable server; `port` is the one it is bound to."""

    def __init__(self, server: grpc.Server, port: int, health_servicer: "_Health") -> None:
        self._server = server
        self._health = health_servicer
        self.port = port

    def start(self) -> None:
        """Begins to answer."""
        self._server.start()
        self._health.begin()

    def stop(self, grace: float = 10.0) -> None:
        """Takes no new calls, lets those under way finish for up to `grace` seconds, and returns when it is over."""
        self._health.end()
        self._server.stop(grace).wait()

    def run(self, stop: threading.Event, grace: float = 10.0) -> None:
        """Serves until `stop` is set."""
        self.start()
        forget_what_is_loaded()
        stop.wait()
        self.stop(grace)


def make_server(
    address: str,
    tls: TlsFiles,
    allow: AllowList,
    services: Sequence[Service],
    *,
    max_workers: int = 16,
    max_message: int = MAX_MESSAGE,
    reuse_port: bool = True,
    min_time_left: float = 0.02,
    on_denied: Callable[[str, str], None] | None = None,
    ready: Callable[[], bool] = lambda: True,
) -> RpcServer:
    """Builds the server; the health service is added to `services` and to `allow`'s duty.

    `allow` must have an entry for every method, HEALTH_ENTRIES included (AllowListError otherwise).
    `min_time_left` (seconds): a call with less of its deadline left is refused before any work.
    `on_denied` gets method and identity of a call that the list denies; when it raises, the caller reads of that fault.
    `ready` says whether the server can do its work now; the health service answers NOT_SERVING while it can't.
    Raises RuntimeError when the address is taken, OSError when a TLS file can't be read.
    """
    health_servicer = _Health(ready)
    every_service = (*services, (health_pb2_grpc.add_HealthServicer_to_server, health_servicer))
    allow.check(_method_names(every_service))
    server = grpc.server(
        # What waits beyond this would miss its deadline anyway; refusing early keeps the rest quick.
        SheddingPool(max_workers=max_workers, most_waiting=max_workers * 7),
        interceptors=[_Gate(allow, min_time_left, on_denied)],
        options=(
            ("grpc.so_reuseport", int(reuse_port)),
            ("grpc.max_receive_message_length", max_message),
            ("grpc.max_metadata_size", 8 * 1024),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ),
        # Beyond even those that are being refused: gRPC's own refusal, which costs next to nothing.
        maximum_concurrent_rpcs=max_workers * 16,
    )
    for add, servicer in every_service:
        add(servicer, server)
    port = server.add_secure_port(address, server_credentials(tls))
    return RpcServer(server, port, health_servicer)


def _method_names(services: Iterable[Service]) -> set[str]:
    """What these services serve. Raises TypeError for client streaming, which the gate does not know."""
    recorder = _Recorder()
    for add, servicer in services:
        add(servicer, cast("grpc.Server", recorder))
    if streaming := sorted(name for name, handler in recorder.handlers.items() if handler.request_streaming):
        raise TypeError(f"client streaming is not supported: {', '.join(streaming)}")
    return set(recorder.handlers)


class _Recorder:
    """Stands in for a grpc.Server while the generated code adds its handlers, to learn their names."""

    def __init__(self) -> None:
        self.handlers: dict[str, Any] = {}

    def add_generic_rpc_handlers(self, handlers: Any) -> None:
        """Ignored: the same handlers arrive below, by name."""

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        self.handlers.update({f"/{service}/{name}": handler for name, handler in handlers.items()})


class _Health(health.HealthServicer):  # type: ignore[misc]  # the library has no type information
    """Says SERVING only while the server can do its work; asks `ready` at most once a second."""

    def __init__(self, ready: Callable[[], bool]) -> None:
        super().__init__()
        self._ready = ready
        self._asking = threading.Lock()
        self._asked_at = -_READY_GOOD_FOR
        self._serving = False

    def begin(self) -> None:
        self._serving = True

    def end(self) -> None:
        self._serving = False
        self.enter_graceful_shutdown()

    def Check(self, request: health_pb2.HealthCheckRequest, context: grpc.ServicerContext) -> Any:  # noqa: N802
        with self._asking:
            if self._serving and time.monotonic() - self._asked_at >= _READY_GOOD_FOR:
                self.set("", _SERVING if self._is_ready() else _NOT_SERVING)
                self._asked_at = time.monotonic()
        return super().Check(request, context)

    def _is_ready(self) -> bool:
        try:
            return self._ready()
        except Exception as error:  # whatever keeps it from answering keeps the server from its work
            log.error("rpc.not_ready", error=type(error).__name__)
            return False


class _Unreadable:
    """What bytes that don't parse turn into, so that the gate can refuse them in our own words."""


_UNREADABLE: Final = _Unreadable()


class _Gate(grpc.ServerInterceptor):
    def __init__(self, allow: AllowList, min_time_left: float, on_denied: Callable[[str, str], None] | None) -> None:
        self._allow = allow
        self._on_denied = on_denied
        self._min_time_left = min_time_left
        self._guarded: dict[str, Any] = {}  # Any: grpc.RpcMethodHandler, whose fields gRPC leaves untyped

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Any],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """The method's handler behind the gate; None for a method that the server doesn't have."""
        method = str(handler_call_details.method)
        guarded = self._guarded.get(method)
        if guarded is None and (handler := continuation(handler_call_details)) is not None:
            guarded = self._guarded[method] = self._guard(method, handler)
        return guarded

    def _guard(self, method: str, handler: Any) -> Any:
        read = _tolerant(handler.request_deserializer)
        if handler.response_streaming:
            return grpc.unary_stream_rpc_method_handler(
                self._streaming(method, handler.unary_stream),
                read,
                handler.response_serializer,
            )
        return grpc.unary_unary_rpc_method_handler(
            self._unary(method, handler.unary_unary), read, handler.response_serializer
        )

    def _unary(self, method: str, inner: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        def behaviour(request: Any, context: grpc.ServicerContext) -> Any:
            outcome = _Outcome(method)
            try:
                info = self._admit(method, request, context, outcome)
                answer = _in_call(info, outcome, lambda: inner(request, context))
                outcome.code = "OK"
                return answer
            except Exception as error:  # whatever it is, the caller gets a typed refusal
                refusal = outcome.refused(error)
            finally:
                outcome.tell()
            return _abort(context, refusal)

        return behaviour

    def _streaming(
        self, method: str, inner: Callable[[Any, Any], Iterator[Any]]
    ) -> Callable[[Any, Any], Iterator[Any]]:
        def behaviour(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            outcome = _Outcome(method)
            try:
                info = self._admit(method, request, context, outcome)
                answers = iter(_in_call(info, outcome, lambda: inner(request, context)))
                while True:
                    try:
                        answer = _in_call(info, outcome, lambda: next(answers))
                    except StopIteration:
                        break
                    yield answer
                outcome.code = "OK"
                return
            except Exception as error:  # whatever it is, the caller gets a typed refusal
                refusal = outcome.refused(error)
            finally:
                outcome.tell()
            _abort(context, refusal)

        return behaviour

    def _admit(
        self,
        method: str,
        request: Any,
        context: grpc.ServicerContext,
        outcome: "_Outcome",
    ) -> CallInfo:
        if must_refuse():
            raise errors.Unavailable(OVERLOADED)
        auth: Mapping[str, Iterable[bytes]] = context.auth_context()  # type: ignore[assignment]  # the stubs err
        outcome.caller = identity = identity_of(next(iter(auth.get("x509_pem_cert", ())), b""))
        if not identity:
            raise errors.Unauthenticated
        if not self._allow.allows(method, identity):
            if self._on_denied is not None:
                self._on_denied(method, identity)
            raise errors.PermissionDenied
        left: float | None = context.time_remaining()  # None when no deadline was set, whatever the stubs say
        if left is None or left > _LONGEST_DEADLINE:
            raise errors.DeadlineTooShort("The call has no deadline. Every call needs one.")
        if left < self._min_time_left:
            raise errors.DeadlineTooShort
        if request is _UNREADABLE:
            raise errors.InvalidArgument("The message could not be read.")
        outcome.begin(next((value for key, value in context.invocation_metadata() if key == "traceparent"), ""))
        return CallInfo(method=method, caller=identity, deadline=time.monotonic() + left)


class _Outcome:
    """What one call's log line and metric will say. `code` is what the call ends with unless something else is told:
    the caller went away."""

    def __init__(self, method: str) -> None:
        self.caller = ""
        self.span: Span | None = None
        self.code = "CANCELLED"
        self._method = method
        self._began = time.perf_counter()

    def begin(self, parent: str | bytes) -> None:
        """Carries the caller's trace on."""
        self.span = begin_span(
            self._method.lstrip("/"),
            kind=SpanKind.SERVER,
            parent=parent if isinstance(parent, str) else "",
            attributes={"rpc.system": "grpc", "rpc.method": self._method.lstrip("/")},
        )

    def tell(self) -> None:
        """Measures and logs the call, however it ended."""
        seconds = time.perf_counter() - self._began
        _SECONDS.labels(self._method, self.code).observe(seconds)
        log.info(
            "rpc.call",
            method=self._method,
            caller=self.caller,
            code=self.code,
            ms=round(seconds * 1000, 2),
            # As chassis.telemetry binds it to the entries that were written within the call.
            trace_id=trace_id(self.span) if self.span else "",
        )
        if self.span:
            self.span.set_attribute("rpc.response.status_code", self.code)
            if self.code in _FAULTS:
                failed(self.span, self.code)
            self.span.end()

    def refused(self, error: Exception) -> errors.WayvaultError:
        """What the caller may read of a refusal."""
        refusal = self._readable(error)
        self.code = ErrorCode.Name(refusal.code).removeprefix("ERROR_CODE_")
        return refusal

    def _readable(self, error: Exception) -> errors.WayvaultError:
        if isinstance(error, errors.WayvaultError):
            return error
        if isinstance(error, _DATABASE_DOWN):
            log.error("rpc.database_unavailable", method=self._method, error=type(error).__name__)
            return errors.Unavailable()
        # Type and places only: an exception's text may quote what it choked on.
        frames = [f"{f.filename}:{f.lineno}:{f.name}" for f in traceback.extract_tb(error.__traceback__)[-12:]]
        log.error("rpc.broken", method=self._method, caller=self.caller, error=type(error).__name__, frames=frames)
        return errors.Internal()


def _abort(context: grpc.ServicerContext, error: errors.WayvaultError) -> NoReturn:
    context.set_trailing_metadata(trailers_of(error))
    context.abort(status_of(error), ErrorCode.Name(error.code))


def _in_call(info: CallInfo, outcome: "_Outcome", work: Callable[[], Any]) -> Any:
    token = enter_call(info)
    try:
        assert outcome.span is not None, "an admitted call has a span"
        with within(outcome.span):
            return work()
    finally:
        leave_call(token)


def _tolerant(read: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    def deserialize(data: bytes) -> Any:
        try:
            return read(data)
        except DecodeError:
            return _UNREADABLE

    return deserialize
