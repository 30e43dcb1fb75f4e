"""Outbox → relay → bus, in events a second, against raw publishing of the same bodies to the same queue."""

import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from chassis.bus import Bus, Outbox, Relay, open_bus
from chassis.bus.rabbit_link import EVENTS, Link
from chassis.clock import SystemClock
from chassis.ids import new_id
from protos.wayvault.events.v1.events_pb2 import PaymentRetrieved
from tests.bench import engines
from tests.bench.figures import Figure, Run, Span, run_of
from tests.bench.progress import say
from tests.bench.raw_pika import Batched, OneByOne
from tests.support.bus import World, rabbit_tls

BATCH = 200
_KEY = "payment.retrieved.v1"
_PATTERN = "payment.*.v1"
_FILL = 100

Publish = Callable[[Sequence[bytes]], list[Span]]
"""Publishes all bodies and times each of its operations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Rounds; events through the relay in each; messages of a round that are published one at a time."""

    rounds: int
    events: int
    single: int


FULL = Plan(rounds=5, events=2000, single=300)
QUICK = Plan(rounds=2, events=600, single=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """An outbox, a bus with one queue that takes its events, and raw publishers: name → (publish, batch size)."""

    world: World
    bus: Bus
    raw: Mapping[str, tuple[Publish, int]]


@contextmanager
def embedded(folder: Path) -> Iterator[Stage]:
    """SQLite and the embedded bus; raw: the bodies into a table of the same kind, one or 200 a commit."""
    bus = open_bus(f"embedded:///{folder}/bus.db", service="crm")
    bus.subscribe("crm", [_PATTERN]).close()  # makes the queue
    world = World(f"sqlite:///{folder}/crm.db", name="crm")
    raw = sqlite3.connect(folder / "raw.db", isolation_level=None, check_same_thread=False)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "temp_store=MEMORY"):
        raw.execute(f"PRAGMA {pragma}")
    raw.execute("CREATE TABLE messages (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")

    def insert(bodies: Sequence[bytes]) -> None:
        raw.execute("BEGIN IMMEDIATE")
        raw.executemany("INSERT INTO messages (body) VALUES (?)", [(body,) for body in bodies])
        raw.execute("COMMIT")

    try:
        yield Stage(
            world=world,
            bus=bus,
            raw={
                "sqlite_one_by_one": (_in_batches(insert, 1), 1),
                "sqlite_batched": (_in_batches(insert, BATCH), BATCH),
            },
        )
    finally:
        raw.close()
        world.close()
        bus.close()


@contextmanager
def real(_: Path) -> Iterator[Stage]:
    """PostgreSQL and RabbitMQ over TLS, a quorum queue; raw: pika, one at a time and in batches."""
    with engines.databases(1) as (database,), engines.vhost() as url:
        tls = rabbit_tls()
        bus = open_bus(url, service="crm", tls=tls)
        world = World(database, name="crm")
        bus.subscribe("crm", [_PATTERN]).close()  # makes the queue
        parameters = Link(url, service="crm", tls=tls).parameters("bench")
        one, many = OneByOne(parameters, EVENTS, _KEY), Batched(parameters, EVENTS, _KEY)
        try:
            yield Stage(
                world=world,
                bus=bus,
                raw={
                    "pika_one_by_one": (_in_batches(lambda bodies: one.publish(bodies[0]), 1), 1),
                    "pika_batched": (_in_batches(many.publish, BATCH), BATCH),
                },
            )
        finally:
            one.close()
            many.close()
            world.close()
            bus.close()


STAGES = {"embedded": embedded, "real": real}


def measure(kind: str, plan: Plan) -> list[Figure]:
    """Events a second through the relay; the percentiles are those of one batch."""
    with tempfile.TemporaryDirectory(prefix="wv-bench-") as name, STAGES[kind](Path(name)) as stage:
        relay = Relay(stage.world.database, stage.world.tables, stage.bus)
        _fill(stage.world, BATCH)
        _drain(relay)  # opens connections
        runs: list[Run] = []
        raw: dict[str, list[Run]] = {name: [] for name in stage.raw}
        for number in range(plan.rounds):
            bodies = _fill(stage.world, plan.events)
            for label, (publish, batch) in stage.raw.items():
                some = bodies if batch > 1 else bodies[: plan.single]
                raw[label].append(run_of(publish(some), items=batch))
            runs.append(run_of(_drain(relay), items=BATCH))
            told = ", ".join(f"{label} {found[-1].per_second:.0f}/s" for label, found in raw.items())
            say(f"relay, {kind}, round {number + 1}: relay {runs[-1].per_second:.0f}/s, {told}")
        return [Figure(name="relay.events", engines=kind, runs=runs, baselines={**raw}, notes={"batch": BATCH})]


def _fill(world: World, count: int) -> list[bytes]:
    """Writes that many events, each of its own payment, and gives their bodies as the bus will carry them."""
    outbox = Outbox(world.tables, producer="crm", clock=SystemClock())
    ids: list[str] = []
    for _ in range(0, count, _FILL):
        with world.database.transaction() as session:
            for payment in (new_id("payment") for _ in range(_FILL)):
                message = PaymentRetrieved(payment_id=payment)
                ids.append(outbox.add(session, message, aggregate_id=payment, agency_id="agency_bench"))
    table = world.tables.outbox
    with world.database.read() as session:
        newest = select(table.c.envelope).order_by(table.c.id.desc()).limit(count)
        return [bytes(body) for body in session.execute(newest).scalars()]


def _drain(relay: Relay) -> list[Span]:
    spans: list[Span] = []
    while True:
        began = time.monotonic()
        sent = relay.pump()
        if not sent:
            return spans
        if sent != BATCH:
            raise RuntimeError(f"the relay sent {sent} events, not {BATCH}")
        spans.append((began, time.monotonic()))


def _in_batches(publish: Callable[[Sequence[bytes]], None], size: int) -> Publish:
    def all_of(bodies: Sequence[bytes]) -> list[Span]:
        spans = []
        for first in range(0, len(bodies), size):
            began = time.monotonic()
            publish(bodies[first : first + size])
            spans.append((began, time.monotonic()))
        return spans

    return all_of
