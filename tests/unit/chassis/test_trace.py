"""One trace (W3C Trace Context) for one request: through a page, the vault's method, the bus and two services more."""

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, get_args

import pytest
from flask import Flask
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy.orm import Session

from chassis.bus import Consumer, EventHandlers, EventMeta, Outbox, Relay, open_bus
from chassis.clock import SystemClock
from chassis.logging import configure_logging
from chassis.rpc import AllowList, Caller, make_server, open_channel
from chassis.rpc.server import HEALTH_ENTRIES
from chassis.telemetry import Attribute, SpanKind, record_spans, span, traceparent
from chassis.web.requests import install_request_log
from protos.wayvault.events.v1.events_pb2 import PaymentAuthorized, PaymentRetrieved
from protos.wayvault.vault.v1 import vault_pb2 as pb
from protos.wayvault.vault.v1 import vault_pb2_grpc as rpc
from tests.support.bus import Running, World, eventually
from tests.support.tls import Authority

METHOD = "/wayvault.vault.v1.CardFrame/GetSealingKey"

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """What is recorded while it is used."""
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    record_spans(provider)
    yield kept
    record_spans(None)


class Frame(rpc.CardFrameServicer):
    """The vault's side: notes the trace that a call came with."""

    def __init__(self, seen: dict[str, str]) -> None:
        self._seen = seen

    def GetSealingKey(self, request: pb.GetSealingKeyRequest, context: Any) -> pb.GetSealingKeyResponse:
        self._seen["vault"] = traceparent()
        return pb.GetSealingKeyResponse(kid="k1")


def portal_site(world: World, caller: Caller, stub: Any, seen: dict[str, str]) -> Flask:
    """A page that calls the vault and tells the others."""
    site, outbox = Flask("portal"), Outbox(world.tables, producer="portal", clock=SystemClock())
    install_request_log(site, service="portal")

    @site.post("/pay")
    def pay() -> str:
        seen["portal"] = traceparent()
        caller.call(stub.GetSealingKey, pb.GetSealingKeyRequest())
        with world.database.transaction() as session:
            outbox.add(session, PaymentAuthorized(link_id="l1"), aggregate_id="p1", agency_id="a")
        return "done"

    return site


def crm_handlers(world: World, seen: dict[str, str]) -> EventHandlers:
    handlers, outbox = EventHandlers(), Outbox(world.tables, producer="crm", clock=SystemClock())

    def authorized(session: Session, message: PaymentAuthorized, meta: EventMeta) -> None:
        seen["crm"] = traceparent()
        outbox.add(session, PaymentRetrieved(payment_id="p1"), aggregate_id="p1", agency_id="a")

    handlers.on(PaymentAuthorized, authorized)
    return handlers


def notifier_handlers(seen: dict[str, str]) -> EventHandlers:
    handlers = EventHandlers()

    def retrieved(session: Session, message: PaymentRetrieved, meta: EventMeta) -> None:
        seen["notifier"] = traceparent()

    handlers.on(PaymentRetrieved, retrieved)
    return handlers


def test_one_request_is_one_trace_through_portal_vault_bus_crm_and_notifier(
    tmp_path: Path, spans: InMemorySpanExporter
) -> None:
    log, seen = io.StringIO(), {}  # type: tuple[io.StringIO, dict[str, str]]
    configure_logging("portal", stream=log)
    authority = Authority.create(tmp_path / "certs")
    server = make_server(
        "127.0.0.1:0",
        authority.issue("vault"),
        AllowList({METHOD: frozenset({"portal"}), **HEALTH_ENTRIES}),
        [(rpc.add_CardFrameServicer_to_server, Frame(seen))],
        max_workers=2,
    )
    server.start()
    with ExitStack() as ending:
        ending.callback(server.stop, 0)
        worlds = {name: World(f"sqlite:///{tmp_path}/{name}.db", name=name) for name in ("portal", "crm", "notifier")}
        buses = {name: open_bus(f"embedded:///{tmp_path}/bus.db", service=name) for name in worlds}
        handlers = {"crm": crm_handlers(worlds["crm"], seen), "notifier": notifier_handlers(seen)}
        channel = open_channel(f"127.0.0.1:{server.port}", authority.issue("portal"), "vault.wayvault.internal")
        ending.callback(channel.close)
        for name, world in worlds.items():
            ending.callback(buses[name].close)
            ending.callback(world.close)
        for name, reacts in handlers.items():
            buses[name].bind(name, reacts.patterns())
        site = portal_site(worlds["portal"], Caller(channel), rpc.CardFrameStub(channel), seen)
        relays = [Relay(worlds[name].database, worlds[name].tables, buses[name]).run for name in ("portal", "crm")]
        consumers = [
            Consumer(worlds[name].database, worlds[name].tables, buses[name], name, reacts, SystemClock()).run
            for name, reacts in handlers.items()
        ]
        with Running(*relays, *consumers):
            stranger = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            assert site.test_client().post("/pay", headers={"traceparent": stranger}).text == "done"
            eventually(lambda: "notifier" in seen, "the notifier hears of it")
            eventually(lambda: len(of_the_page(spans)) == 5, "every step has told its span")

    traces = {name: value.split("-")[1] for name, value in seen.items()}
    assert set(traces) == {"portal", "vault", "crm", "notifier"}
    (trace,) = set(traces.values())
    assert trace not in stranger
    logged = [entry for entry in map(json.loads, log.getvalue().splitlines()) if entry.get("trace_id") == trace]
    assert {"http.request", "rpc.call"} <= {entry["event"] for entry in logged}
    assert tree(of_the_page(spans)) == {
        "POST /pay": "",
        f"{METHOD[1:]} as CLIENT": "POST /pay",
        f"{METHOD[1:]} as SERVER": f"{METHOD[1:]} as CLIENT",
        "process payment.authorized": "POST /pay",
        "process payment.retrieved": "process payment.authorized",
    }


def of_the_page(spans: InMemorySpanExporter) -> list[ReadableSpan]:
    """The finished spans of the trace that the page began."""
    finished = spans.get_finished_spans()
    begun = {one.context.trace_id for one in finished if one.name == "POST /pay" and one.context}
    return [one for one in finished if one.context and one.context.trace_id in begun]


def tree(found: list[ReadableSpan]) -> dict[str, str]:
    """Each span's name with its parent's."""
    names = {
        one.context.span_id: f"{one.name} as {one.kind.name}" if one.name == METHOD[1:] else one.name
        for one in found
        if one.context
    }
    return {names[one.context.span_id]: names[one.parent.span_id] if one.parent else "" for one in found if one.context}


def test_a_span_has_nothing_of_what_was_typed_or_went_wrong(spans: InMemorySpanExporter) -> None:
    typed = "4111111111111111"
    site = Flask("portal")
    install_request_log(site, service="portal")

    @site.get("/pay/<link>")
    def page(link: str) -> str:
        raise RuntimeError(f"could not read {typed} of {link}")

    answer = site.test_client().get(f"/pay/{typed}?pan={typed}", headers={"User-Agent": typed, "Cookie": f"a={typed}"})
    with pytest.raises(ValueError, match=typed), span("process", kind=SpanKind.CONSUMER):
        raise ValueError(typed)

    assert answer.status_code == 500
    told = [one.to_json() for one in spans.get_finished_spans()]
    assert [json.loads(one)["name"] for one in told] == ["GET /pay/<link>", "process"]
    assert [json.loads(one)["attributes"].get("error.type") for one in told] == ["500", "ValueError"]
    assert typed not in "".join(told)
    for one in spans.get_finished_spans():
        assert set(one.attributes or {}) <= set(get_args(Attribute))
        assert one.events == ()


class Collector(BaseHTTPRequestHandler):
    """Takes what OpenTelemetry's exporter sends."""

    received: list[ExportTraceServiceRequest] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.received.append(ExportTraceServiceRequest.FromString(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
        """Nothing."""


_PROGRAM = """
import sys
from chassis.telemetry import export_traces, span
export_traces("portal")
with span("work"):
    print("opentelemetry.sdk.trace" in sys.modules)
"""


def run_program(**environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], env=os.environ | environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_spans_go_to_the_collector_that_the_standard_variable_names() -> None:
    server = HTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        recorded = run_program(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    (sent,) = Collector.received[0].resource_spans
    assert recorded == "True"
    assert [one.name for one in sent.scope_spans[0].spans] == ["work"]
    assert {one.key: one.value.string_value for one in sent.resource.attributes}["service.name"] == "portal"


def test_without_a_collector_nothing_is_recorded_and_what_records_is_not_even_loaded() -> None:
    assert run_program(OTEL_EXPORTER_OTLP_ENDPOINT="", OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="") == "False"


def test_the_next_request_is_another_trace(tmp_path: Path) -> None:
    site = Flask("portal")
    install_request_log(site, service="portal")
    site.add_url_rule("/trace", view_func=lambda: traceparent() + traceparent())

    answers = [site.test_client().get("/trace").text for _ in range(2)]

    assert all(answer[:55] == answer[55:] for answer in answers)
    assert answers[0] != answers[1]
