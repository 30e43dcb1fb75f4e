"""Events, services and buses for tests."""

import os
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from google.protobuf.message import Message
from sqlalchemy import Column, Integer, String, Table, insert, select

from chassis.bus import EventTables, event_type_of
from chassis.bus.port import BusUnavailable, DeadLetter, Delivery, Subscription, Unroutable
from chassis.db import Database, make_metadata, open_database
from chassis.ids import new_event_id
from protos.wayvault.events.v1.envelope_pb2 import Envelope
from protos.wayvault.events.v1.events_pb2 import PaymentRetrieved


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    ca: Path
    cert: Path
    key: Path


def rabbit_tls() -> Tls:
    """The development certificates that the broker of deploy/dev/engines asks for."""
    folder = Path(os.environ.get("WAYVAULT_STATE", "var")) / "certs"
    return Tls(ca=folder / "ca.pem", cert=folder / "crm.pem", key=folder / "crm.key")


def envelope_of(message: Message, *, aggregate_id: str, sequence: int = 1) -> Envelope:
    declared = event_type_of(message)
    envelope = Envelope(
        event_id=new_event_id(),
        type=declared.type,
        aggregate_type=declared.aggregate,
        aggregate_id=aggregate_id,
        sequence=sequence,
        producer=declared.producer,
        agency_id="agency_1",
        payload=message.SerializeToString(),
    )
    envelope.occurred_at.FromDatetime(datetime.now(UTC))
    return envelope


def retrieved(aggregate_id: str, sequence: int = 1) -> Envelope:
    """A "payment.retrieved" of crm."""
    return envelope_of(PaymentRetrieved(payment_id=aggregate_id), aggregate_id=aggregate_id, sequence=sequence)


class World:
    """One service's database, with the bus's tables and a table `effects` that handlers write into."""

    def __init__(self, url: str, *, name: str = "world", create: bool = True) -> None:
        metadata = make_metadata()
        self.tables = EventTables.attach(metadata)
        self.effects = Table(
            "effects",
            metadata,
            Column("id", Integer, primary_key=True),
            Column("aggregate_id", String(200), nullable=False),
            Column("sequence", Integer, nullable=False),
            Column("event_id", String(36), nullable=False),
        )
        self.metadata = metadata
        self.database: Database = open_database(url, name=name)
        if create:
            metadata.create_all(self.database.engine)

    def effect(self, session: object, message: object, meta: object) -> None:
        """A handler: one row per call."""
        session.execute(  # type: ignore[attr-defined]
            insert(self.effects).values(
                aggregate_id=meta.aggregate_id,  # type: ignore[attr-defined]
                sequence=meta.sequence,  # type: ignore[attr-defined]
                event_id=meta.event_id,  # type: ignore[attr-defined]
            )
        )

    def effects_seen(self) -> list[tuple[str, int]]:
        """(aggregate, sequence) of each effect, in the order they happened."""
        with self.database.read() as session:
            columns = select(self.effects.c.aggregate_id, self.effects.c.sequence).order_by(self.effects.c.id)
            return [(row[0], row[1]) for row in session.execute(columns)]

    def close(self) -> None:
        self.database.dispose()


@dataclass(slots=True)
class FakeDelivery:
    """A delivery without a bus."""

    body: bytes
    replayed: bool = False
    handed_out_before: bool = False
    settled: list[str] = field(default_factory=list)

    def ack(self) -> None:
        self.settled.append("ack")

    def reject(self, reason: str) -> None:
        self.settled.append(reason)


class Running:
    """Loops on threads for the length of a `with` block."""

    def __init__(self, *loops: Callable[[threading.Event], None]) -> None:
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=loop, args=(self._stop,), daemon=True) for loop in loops]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(15)
        assert not any(thread.is_alive() for thread in self._threads), "a loop did not stop"


def eventually(condition: Callable[[], bool], what: str, seconds: float = 15.0) -> None:
    """Waits until a condition holds, looking often; fails naming what did not come true."""
    until = time.monotonic() + seconds
    looked = threading.Event()
    while not condition():
        assert time.monotonic() < until, f"not within {seconds:g} s: {what}"
        looked.wait(0.01)


def receive(subscription: Subscription, seconds: float = 10.0) -> Delivery:
    """The next delivery; fails when none comes."""
    delivery = subscription.receive(seconds)
    assert delivery is not None, "nothing was delivered"
    return delivery


def ids(deliveries: list[Delivery]) -> list[str]:
    return [Envelope.FromString(delivery.body).event_id for delivery in deliveries]


@dataclass(slots=True)
class FakeSubscription:
    """Hands out what lies ready."""

    ready: list[FakeDelivery]

    def receive(self, timeout: float) -> Delivery | None:
        if not self.ready:
            time.sleep(min(timeout, 0.01))
        return self.ready.pop(0) if self.ready else None

    def receive_fresh(self, most: int) -> Sequence[Delivery]:
        return [self.ready.pop(0) for _ in range(min(most, len(self.ready)))]

    def close(self) -> None:
        return None


class FakeBus:
    """Keeps what it is given; refuses when told to. Who subscribes is handed `ready`."""

    def __init__(self) -> None:
        self.ready: list[FakeDelivery] = []
        self.published: list[Envelope] = []
        self.buried: list[tuple[str, str]] = []
        self.away = False
        self.unroutable_types: set[str] = set()

    def publish(self, envelopes: Sequence[Envelope]) -> None:
        if self.away:
            raise BusUnavailable("away")
        stray = [one.event_id for one in envelopes if one.type in self.unroutable_types]
        self.published += [one for one in envelopes if one.event_id not in stray]
        if stray:
            raise Unroutable(stray)

    def bury(self, envelope: Envelope, *, service: str, reason: str) -> None:
        if self.away:
            raise BusUnavailable("away")
        self.buried.append((envelope.event_id, reason))

    def bind(self, service: str, patterns: Collection[str]) -> None:
        raise AssertionError("not for these tests")

    def subscribe(self, service: str, patterns: Collection[str]) -> Subscription:
        return FakeSubscription(self.ready)

    def waiting(self, service: str) -> int:
        return 0

    def dead_letters(self) -> Sequence[DeadLetter]:
        return []

    def dead_letter_count(self) -> int:
        return len(self.buried)

    def replay(self, service: str, event_ids: Collection[str] | None = None) -> int:
        return 0

    def drop(self, service: str, event_ids: Collection[str] | None = None) -> int:
        return 0

    def close(self) -> None:
        return None
