"""Outbox and relay on both databases."""

import threading
import time
from collections import defaultdict

from sqlalchemy import func, select

from chassis.bus import Outbox, Relay
from chassis.bus.wake import waker_for
from chassis.clock import SystemClock
from protos.wayvault.events.v1.events_pb2 import PaymentRetrieved
from tests.support.bus import FakeBus, Running, World, eventually


def tell(world: World, *aggregates: str) -> None:
    outbox = Outbox(world.tables, producer="crm", clock=SystemClock())
    for aggregate in aggregates:
        with world.database.transaction() as session:
            outbox.add(session, PaymentRetrieved(payment_id=aggregate), aggregate_id=aggregate, agency_id="a")


def unsent(world: World) -> int:
    with world.database.read() as session:
        table = world.tables.outbox
        return session.execute(select(func.count()).select_from(table).where(table.c.sent_at.is_(None))).scalar_one()


def test_writers_at_the_same_time_number_an_aggregate_without_gaps_or_doubles(world: World) -> None:
    threads = [threading.Thread(target=tell, args=(world, *["p1", "p2"] * 5)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with world.database.read() as session:
        rows = session.execute(select(world.tables.outbox.c.aggregate_id, world.tables.outbox.c.sequence)).all()
    for aggregate in ("p1", "p2"):
        assert sorted(row.sequence for row in rows if row.aggregate_id == aggregate) == list(range(1, 21))


def test_relays_at_the_same_time_send_each_event_once_and_each_aggregate_in_order(world: World) -> None:
    class SlowBus(FakeBus):
        def publish(self, envelopes):  # type: ignore[no-untyped-def]
            threading.Event().wait(0.002)  # so that the relays' turns overlap
            super().publish(envelopes)

    bus = SlowBus()
    tell(world, *[f"p{number % 7}" for number in range(100)])
    with Running(*[Relay(world.database, world.tables, bus).run for _ in range(3)]):
        tell(world, *[f"p{number % 7}" for number in range(60)])
        eventually(lambda: unsent(world) == 0, "everything is sent")
    order: dict[str, list[int]] = defaultdict(list)
    for envelope in bus.published:
        order[envelope.aggregate_id].append(envelope.sequence)
    assert sum(len(numbers) for numbers in order.values()) == 160
    for numbers in order.values():
        assert numbers == list(range(1, len(numbers) + 1))


def test_a_commit_in_this_process_reaches_the_bus_at_once(world: World) -> None:
    bus = FakeBus()
    with Running(Relay(world.database, world.tables, bus).run):
        tell(world, "warm-up")
        eventually(lambda: len(bus.published) == 1, "the relay runs")
        waits = []
        for number in range(10):
            begun = time.monotonic()
            tell(world, f"p{number}")
            eventually(lambda wanted=number + 2: len(bus.published) == wanted, "it is published")  # type: ignore[misc]
            waits.append(time.monotonic() - begun)
    assert sorted(waits)[5] < 0.1


def test_a_commit_through_another_engine_wakes_the_sleeper(world: World, database_url: str) -> None:
    other = World(database_url, create=False)
    waker = waker_for(world.database)
    while waker.wait(0.05):
        pass
    timer = threading.Timer(0.1, tell, args=(other, "p1"))
    timer.start()
    assert waker.wait(10)
    timer.join()
    waker.close()
    other.close()


def test_a_rolled_back_transaction_publishes_nothing(world: World) -> None:
    outbox = Outbox(world.tables, producer="crm", clock=SystemClock())
    with world.database.transaction() as session:
        outbox.add(session, PaymentRetrieved(), aggregate_id="p1", agency_id="a")
        session.rollback()
    assert unsent(world) == 0
