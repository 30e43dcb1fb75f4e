"""Metrics (Prometheus) and trace context (W3C), the same in every process."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import structlog
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    Counter,
    Gauge,
    Histogram,
)

__all__ = [
    "CONTENT_TYPE_LATEST",
    "Counter",
    "Gauge",
    "Histogram",
    "bind_traceparent",
    "traceparent",
]

# W3C Trace Context, level 1: version 00, non-zero trace and parent ids.
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_current: ContextVar[str | None] = ContextVar("traceparent", default=None)


def traceparent() -> str:
    """The current `traceparent`, or a new one (which does not become the current)."""
    return _current.get() or f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


@contextmanager
def bind_traceparent(value: str | None) -> Iterator[str]:
    """Makes `value` the current trace within the block, and its trace id part of every log entry there.

    A missing or malformed value (it comes from outside) is replaced by a new trace.
    """
    trace = value if value and _TRACEPARENT.fullmatch(value) else traceparent()
    token = _current.set(trace)
    try:
        with structlog.contextvars.bound_contextvars(trace_id=trace.split("-")[1]):
            yield trace
    finally:
        _current.reset(token)
