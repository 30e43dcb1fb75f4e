"""A gRPC server with one gate in front of every method.

The gate, in this order: the bytes parse, the caller's certificate is on the method's list, a deadline is set and
long enough; then the handler runs; then whatever it raised becomes a typed refusal. One log line per call, with
no payload: method, caller, outcome, milliseconds.
"""

import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent import futures
from typing import Any, Final, NoReturn

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
from chassis.rpc.tls import TlsFiles, server_credentials
from chassis.telemetry import Histogram, bind_traceparent
from protos.wayvault.common.v1.common_pb2 import ErrorCode

MAX_MESSAGE: Final = 16 * 1024
# A caller that waits longer than this, or for ever, has set no deadline worth the name.
_LONGEST_DEADLINE: Final = 3600.0

# Check for everybody; Watch holds a worker for as long as the caller likes, and List names what is none of hers.
_HEALTH: Final = "/grpc.health.v1.Health/"
HEALTH_ENTRIES: Final[Mapping[str, frozenset[str]]] = {
    _HEALTH + "Check": ANYONE,
    _HEALTH + "List": NOBODY,
    _HEALTH + "Watch": NOBODY,
}

_SECONDS: Final = Histogram("wayvault_rpc_seconds", "Calls served, by method and outcome.", ("method", "code"))

# Lost connections, lock and statement timeouts, an exhausted pool: the caller may simply try again.
_DATABASE_DOWN: Final = (OperationalError, InterfaceError, PoolTimeout)

log = structlog.get_logger("rpc")

# (the generated add_XServicer_to_server, the servicer)
Service = tuple[Callable[[Any, grpc.Server], None], Any]


class RpcServer:
    """A started or startable server; `port` is the one it is bound to."""

    def __init__(self, server: grpc.Server, port: int, health_servicer: health.HealthServicer) -> None:
        self._server = server
        self._health = health_servicer
        self.port = port

    def start(self) -> None:
        """Begins to answer."""
        self._server.start()
        self._health.set("", health_pb2.HealthCheckResponse.SERVING)

    def stop(self, grace: float = 10.0) -> None:
        """Takes no new calls, lets those under way finish for up to `grace` seconds, and returns when it is over."""
        self._health.enter_graceful_shutdown()
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
) -> RpcServer:
    """Builds the server; the health service is added to `services` and to `allow`'s duty.

    `allow` must have an entry for every method, HEALTH_ENTRIES included (AllowListError otherwise).
    `min_time_left` (seconds): a call with less of its deadline left is refused before any work.
    `on_denied` gets method and identity of a call that the list denies; when it raises, the caller reads of that fault.
    Raises RuntimeError when the address is taken, OSError when a TLS file can't be read.
    """
    health_servicer = health.HealthServicer()
    recorder = _Recorder()
    for add, servicer in (
        *services,
        (health_pb2_grpc.add_HealthServicer_to_server, health_servicer),
    ):
        add(servicer, recorder)
    allow.check(recorder.method_names())
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=max_workers, thread_name_prefix="rpc"),
        options=(
            ("grpc.so_reuseport", int(reuse_port)),
            ("grpc.max_receive_message_length", max_message),
            ("grpc.max_metadata_size", 8 * 1024),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ),
        # What waits beyond this would miss its deadline anyway; refusing early keeps the rest quick.
        maximum_concurrent_rpcs=max_workers * 8,
    )
    gate = _Gate(allow, min_time_left, on_denied)
    for service, handlers in recorder.services.items():
        guarded = {name: gate.guard(f"/{service}/{name}", handler) for name, handler in handlers.items()}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, guarded),))
        server.add_registered_method_handlers(service, guarded)
    port = server.add_secure_port(address, server_credentials(tls))
    return RpcServer(server, port, health_servicer)


class _Recorder:
    """Stands in for a grpc.Server while the generated code adds its handlers."""

    def __init__(self) -> None:
        self.services: dict[str, dict[str, Any]] = {}

    def add_generic_rpc_handlers(self, handlers: Any) -> None:
        """Ignored: the same handlers arrive below, by name."""

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        self.services[service] = dict(handlers)

    def method_names(self) -> set[str]:
        return {f"/{service}/{name}" for service, handlers in self.services.items() for name in handlers}


class _Unreadable:
    """What bytes that don't parse turn into, so that the gate can refuse them in our own words."""


_UNREADABLE: Final = _Unreadable()


class _Gate:
    def __init__(self, allow: AllowList, min_time_left: float, on_denied: Callable[[str, str], None] | None) -> None:
        self._allow = allow
        self._on_denied = on_denied
        self._min_time_left = min_time_left

    def guard(self, method: str, handler: Any) -> Any:  # Any: grpc.RpcMethodHandler, whose fields gRPC leaves untyped
        """The handler behind the gate. Client-streaming methods do not exist here."""
        if handler.request_streaming:
            raise TypeError(f"{method}: client streaming is not supported")
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
            except Exception as error:  # whatever it is, the caller gets a typed refusal
                refusal = outcome.refused(error)
            else:
                outcome.log("OK")
                return answer
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
            except Exception as error:  # whatever it is, the caller gets a typed refusal
                refusal = outcome.refused(error)
            else:
                outcome.log("OK")
                return
            _abort(context, refusal)

        return behaviour

    def _admit(
        self,
        method: str,
        request: Any,
        context: grpc.ServicerContext,
        outcome: "_Outcome",
    ) -> CallInfo:
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
        for key, value in context.invocation_metadata():
            if key == "traceparent" and isinstance(value, str):
                outcome.traceparent = value
        return CallInfo(method=method, caller=identity, deadline=time.monotonic() + left)


class _Outcome:
    """What one call's log line will say."""

    def __init__(self, method: str) -> None:
        self.caller = ""
        self.traceparent = ""
        self._method = method
        self._began = time.perf_counter()

    def log(self, code: str) -> None:
        _SECONDS.labels(self._method, code).observe(time.perf_counter() - self._began)
        # The trace's id, as chassis.telemetry binds it to the entries that were written within the call.
        trace = self.traceparent[3:35]
        log.info("rpc.call", method=self._method, caller=self.caller, code=code, ms=self._ms(), trace_id=trace)

    def refused(self, error: Exception) -> errors.WayvaultError:
        """Logs a refusal and gives what the caller may read of it."""
        if isinstance(error, errors.WayvaultError):
            self.log(ErrorCode.Name(error.code).removeprefix("ERROR_CODE_"))
            return error
        if isinstance(error, _DATABASE_DOWN):
            log.error("rpc.database_unavailable", method=self._method, error=type(error).__name__, ms=self._ms())
            return errors.Unavailable()
        # Type and places only: an exception's text may quote what it choked on.
        frames = [f"{f.filename}:{f.lineno}:{f.name}" for f in traceback.extract_tb(error.__traceback__)[-12:]]
        log.error(
            "rpc.broken",
            method=self._method,
            caller=self.caller,
            error=type(error).__name__,
            frames=frames,
            ms=self._ms(),
        )
        return errors.Internal()

    def _ms(self) -> float:
        return round((time.perf_counter() - self._began) * 1000, 2)


def _abort(context: grpc.ServicerContext, error: errors.WayvaultError) -> NoReturn:
    context.set_trailing_metadata(trailers_of(error))
    context.abort(status_of(error), ErrorCode.Name(error.code))


def _in_call(info: CallInfo, outcome: "_Outcome", work: Callable[[], Any]) -> Any:
    token = enter_call(info)
    try:
        with bind_traceparent(outcome.traceparent) as outcome.traceparent:
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
