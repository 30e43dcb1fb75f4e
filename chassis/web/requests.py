"""One log line and one measurement per request: method, route, status, time. No bodies, no query strings, no paths.

A path or query could hold what a person pasted; the matched route can't.
"""

import time
from contextlib import ExitStack

import structlog
from flask import Flask, Response, g, request
from prometheus_client import Histogram

from chassis.telemetry import Span, SpanKind, failed, span

_SECONDS = Histogram(
    "wayvault_http_request_seconds",
    "Time to answer a request",
    ["service", "method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
_UNMEASURED = frozenset({"static", "chassis.static", "chassis.healthz"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_log = structlog.get_logger("web")


def install_request_log(app: Flask, *, service: str) -> None:
    """Measures and logs every request but static files and health."""

    def begin() -> None:
        # Each request begins a trace: what a stranger sends as one is not taken over.
        g.wv_trace = ExitStack()
        g.wv_started = time.perf_counter()
        if request.endpoint in _UNMEASURED:
            return
        method, route = _named()
        g.wv_span = g.wv_trace.enter_context(
            span(
                f"{method} {route}",
                kind=SpanKind.SERVER,
                parent="",
                attributes={"http.request.method": method, "http.route": route},
            )
        )

    def end(_error: BaseException | None) -> None:
        trace: ExitStack | None = g.pop("wv_trace", None)
        if trace is not None:
            trace.close()

    def finish(response: Response) -> Response:
        if "wv_span" not in g:
            return response
        seconds = time.perf_counter() - g.wv_started
        method, route = _named()
        _tell(g.wv_span, response.status_code)
        _SECONDS.labels(service, method, route, str(response.status_code)).observe(seconds)
        _log.info(
            "http.request",
            method=method,
            route=route,
            status=response.status_code,
            milliseconds=round(seconds * 1000, 1),
            ip=request.remote_addr,
        )
        return response

    app.before_request(begin)
    app.teardown_request(end)
    app.after_request(finish)


def _named() -> tuple[str, str]:
    """The request's method and route, in words that no stranger chooses."""
    method = request.method if request.method in _METHODS else "(other)"
    return method, request.url_rule.rule if request.url_rule else "(none)"


def _tell(of: Span, status: int) -> None:
    of.set_attribute("http.response.status_code", status)
    if status >= 500:
        failed(of, str(status))
