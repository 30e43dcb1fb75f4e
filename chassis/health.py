"""Whether a process lives, and whether it can do its work: /healthz, /readyz and /metrics on a port of their own.

`/healthz` answers 200 as long as the process runs: an orchestrator restarts what does not. `/readyz` asks what the
process works with (database, bus, vault, transit, the schema's revision) and answers 503, naming what is away, while
it can't serve: an orchestrator then sends it no work and leaves it running. Neither tells more than names of parts and
kinds of faults, and the port belongs on an inner network.
"""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from socketserver import ThreadingMixIn
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import structlog
from prometheus_client import make_wsgi_app

# What a check returns is ignored; it raises when its part can't be worked with.
Check = Callable[[], object]

# Under this name an app keeps its Readiness among its extensions, for the server that serves it.
READINESS: Final = "wayvault_readiness"

# Probes of several kinds ask at once; the parts are asked at most this often.
_KEPT_SECONDS: Final = 2.0
_NAME_SECONDS: Final = 10.0

log = structlog.get_logger("health")


class NotReady(Exception):
    """A part answers, but is not as this process needs it; the text is for operators."""


class Readiness:
    """The parts that a process can't work without, by name; and those `beside` it, without which much still goes.

    A CRM whose vault is away still shows trips and takes notes: it is told of and stays ready, else one part's bad
    minute would take every page from everybody.
    """

    def __init__(
        self,
        checks: Mapping[str, Check],
        *,
        beside: Mapping[str, Check] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._checks = {**checks, **(beside or {})}
        self._needed = frozenset(checks)
        self._now = now
        self._lock = threading.Lock()
        self._kept: dict[str, str] = {}
        self._until = float("-inf")

    def faults(self) -> dict[str, str]:
        """What is away, by part, and the kind of fault; empty when everything can be worked with."""
        with self._lock:
            if self._now() >= self._until:
                before, self._kept = self._kept, dict(self._ask())
                self._until = self._now() + _KEPT_SECONDS
                if before != self._kept:
                    log.info("health.changed", away=self._kept)
            return dict(self._kept)

    def can_serve(self) -> bool:
        """Whether everything that is needed answers."""
        return not self._needed & set(self.faults())

    def _ask(self) -> Iterable[tuple[str, str]]:
        for name, check in self._checks.items():
            try:
                check()
            except NotReady as fault:
                yield name, str(fault)
            except Exception as fault:  # whatever it is, the process can't work with this part now
                yield name, type(fault).__name__


def serve_status(listen: str, readiness: Readiness, *, processes: int = 1) -> int:
    """Answers on `listen` ("host:port") from a thread; does nothing when `listen` is empty. Returns the port, or 0.

    Of several processes each takes the first free of as many ports. A port that can't be had is logged: nobody's work
    depends on it. A host's name may be known a moment late: a container's resolver learns of it while it starts.
    """
    if not listen:
        return 0
    host, _, port = listen.rpartition(":")
    _wait_for_name(host)
    first = int(port)
    for candidate in range(first, first + processes):
        with suppress(OSError):
            server = make_server(
                host or "127.0.0.1", candidate, _application(readiness), server_class=_Server, handler_class=_Quiet
            )
            threading.Thread(target=server.serve_forever, name="status", daemon=True).start()
            return int(server.server_port)
    log.warning("health.no_port", listen=listen)
    return 0


def _wait_for_name(host: str) -> None:
    """Until the name leads to an address, or ten seconds have passed."""
    ends = time.monotonic() + _NAME_SECONDS
    while host:
        try:
            socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except socket.gaierror:
            if time.monotonic() > ends:
                return
            time.sleep(0.2)
        else:
            return


def _application(readiness: Readiness) -> Callable[..., Any]:
    metrics = make_wsgi_app()

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Any:  # Any: WSGI's own loose types
        match environ.get("PATH_INFO"):
            case "/metrics":
                return metrics(environ, start)
            case "/healthz":
                return _say(start, "200 OK", {"status": "alive"})
            case "/readyz":
                faults = readiness.faults()
                if not readiness.can_serve():
                    return _say(start, "503 Service Unavailable", {"status": "not ready", "away": faults})
                return _say(start, "200 OK", {"status": "ready", **({"away": faults} if faults else {})})
            case _:
                return _say(start, "404 Not Found", {"status": "there is /healthz, /readyz and /metrics"})

    return answer


def _say(start: Callable[..., Any], status: str, body: Mapping[str, object]) -> list[bytes]:
    start(status, [("Content-Type", "application/json"), ("Cache-Control", "no-store")])
    return [json.dumps(body).encode() + b"\n"]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    timeout = 5

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
        """Nothing: probes come every few seconds."""
