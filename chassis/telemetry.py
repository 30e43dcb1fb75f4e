"""Metrics (Prometheus) and traces (OpenTelemetry), the same in every process.

One request is one trace, from the page through the vault's method, the bus and what other services do about it: the
W3C `traceparent` travels in gRPC's metadata and in the envelope of an event, and its id stands in every log entry.
Spans are recorded and sent where OpenTelemetry's own variables name a collector (OTEL_EXPORTER_OTLP_ENDPOINT); without
them none is made.

A span says which method, which route, which kind of event, and how it ended. It has no attribute for anything that a
person typed, for an address with ids in it, or for an exception's text: `Attribute` lists all there are.
"""

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final, Literal

import structlog
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
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
    "Span",
    "SpanKind",
    "begin_span",
    "export_traces",
    "failed",
    "record_spans",
    "span",
    "trace_id",
    "traceparent",
    "within",
]

# All that a span may say, by OpenTelemetry's semantic conventions.
Attribute = Literal[
    "error.type",
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "messaging.destination.name",
    "messaging.operation.type",
    "messaging.system",
    "rpc.method",
    "rpc.response.status_code",
    "rpc.system",
]
Attributes = Mapping[Attribute, str | int]

_W3C: Final = TraceContextTextMapPropagator()
_COLLECTORS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_SCOPE: Final = "wayvault"
# What records spans; None where nobody asks for them.
_tracer: trace.Tracer | None = None


def export_traces(service: str) -> None:
    """From now on sends this process's spans to the collector that OTEL_EXPORTER_OTLP_ENDPOINT names, if one is named.

    Sampling, headers, certificates and time limits are OpenTelemetry's own variables too. Once, at the start.
    """
    if not any(os.environ.get(name) for name in _COLLECTORS):
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": service, "service.namespace": "wayvault"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    record_spans(provider)


def record_spans(provider: trace.TracerProvider | None) -> None:
    """From now on makes spans by `provider`; None = makes none."""
    global _tracer
    _tracer = provider.get_tracer(_SCOPE) if provider else None


def traceparent() -> str:
    """The current trace as W3C writes it, or a new one (which does not become the current)."""
    found = trace.get_current_span().get_span_context()
    return _written(found if found.is_valid else _new_context())


def trace_id(of: Span) -> str:
    """The trace's id, as it stands in log entries."""
    return trace.format_trace_id(of.get_span_context().trace_id)


def begin_span(
    name: str, *, kind: SpanKind = SpanKind.INTERNAL, parent: str | None = None, attributes: Attributes | None = None
) -> Span:
    """A span that begins now; whoever began it ends it. `parent` is a `traceparent` from elsewhere.

    None is the current one. A missing or malformed value (it comes from outside) begins a new trace.
    """
    above = otel_context.get_current() if parent is None else _read(parent)
    if _tracer is not None:
        given = {str(key): value for key, value in (attributes or {}).items()}
        return _tracer.start_span(
            name, above, kind=kind, attributes=given, record_exception=False, set_status_on_exception=False
        )
    found = trace.get_current_span(above).get_span_context()
    return trace.NonRecordingSpan(found if found.is_valid else _new_context())


@contextmanager
def within(current: Span) -> Iterator[Span]:
    """Makes the span the current one within the block, and its trace's id part of every log entry there."""
    token = otel_context.attach(trace.set_span_in_context(current))
    try:
        with structlog.contextvars.bound_contextvars(trace_id=trace_id(current)):
            yield current
    finally:
        otel_context.detach(token)


@contextmanager
def span(
    name: str, *, kind: SpanKind = SpanKind.INTERNAL, parent: str | None = None, attributes: Attributes | None = None
) -> Iterator[Span]:
    """A span around the block, as `begin_span` begins it. What the block raises is told by its type."""
    if _tracer is None and parent is None and (around := trace.get_current_span()).get_span_context().is_valid:
        yield around  # nobody records, and the trace stays the same
        return
    made = begin_span(name, kind=kind, parent=parent, attributes=attributes)
    try:
        with within(made):
            yield made
    except Exception as error:
        failed(made, type(error).__name__)
        raise
    finally:
        made.end()


def failed(of: Span, kind: str) -> None:
    """Says that the span's work failed, by the kind of fault."""
    if of.is_recording():
        of.set_attribute("error.type", kind)
        of.set_status(Status(StatusCode.ERROR))


def _read(parent: str) -> otel_context.Context:
    empty = otel_context.Context()
    return _W3C.extract({"traceparent": parent}, empty) if parent else empty


def _written(found: SpanContext) -> str:
    ids = f"{trace.format_trace_id(found.trace_id)}-{trace.format_span_id(found.span_id)}"
    return f"00-{ids}-{found.trace_flags:02x}"


def _new_context() -> SpanContext:
    return SpanContext(
        trace_id=secrets.randbits(128) or 1,
        span_id=secrets.randbits(64) or 1,
        is_remote=False,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )
