"""Several consumers of one service, on both databases and both buses."""

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from chassis.bus import Bus, Consumer, ConsumerPolicy, EventHandlers, Outbox, Relay, open_bus
from chassis.clock import SystemClock
from chassis.db import open_database
from protos.wayvault.events.v1.events_pb2 import PaymentRetrieved
from tests.support.bus import Running, World, eventually, rabbit_tls, retrieved

POLICY = ConsumerPolicy(first_pause=timedelta(milliseconds=20), claim_lease=timedelta(seconds=2))


@pytest.fixture(params=["embedded", "rabbitmq"])
def bus(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bus]:
    url = f"embedded:///{tmp_path}/bus.db" if request.param == "embedded" else request.getfixturevalue("rabbit_url")
    opened = open_bus(url, service="tests", tls=rabbit_tls())
    yield opened
    opened.close()


def test_consumers_side_by_side_act_once_and_in_order_although_handlers_fail(world: World, bus: Bus) -> None:
    dice = random.Random(3)

    def sometimes(session: object, message: object, meta: object) -> None:
        world.effect(session, message, meta)
        if dice.random() < 0.1:
            raise ValueError

    handlers = EventHandlers()
    handlers.on(PaymentRetrieved, sometimes)
    consumers = [
        Consumer(world.database, world.tables, bus, "portal", handlers, SystemClock(), policy=POLICY) for _ in range(3)
    ]
    events = [retrieved(f"p{aggregate}", number) for aggregate in range(5) for number in range(1, 11)]
    dice.shuffle(events)
    with Running(*[consumer.run for consumer in consumers]):
        eventually(lambda: _published(bus, events), "the queue is there")
        bus.publish(events[:25])  # doubled
        eventually(lambda: len(world.effects_seen()) >= 50, "every effect", seconds=60)
    seen = world.effects_seen()
    assert len(seen) == 50
    for aggregate in range(5):
        assert [number for name, number in seen if name == f"p{aggregate}"] == list(range(1, 11))
    assert bus.dead_letter_count() == 0


def test_from_one_services_commit_to_the_others_effect(world: World, bus: Bus, tmp_path: Path) -> None:
    reader = World(f"sqlite:///{tmp_path}/reader.db", name="reader")
    handlers = EventHandlers()
    handlers.on(PaymentRetrieved, reader.effect)
    consumer = Consumer(reader.database, reader.tables, bus, "portal", handlers, SystemClock())
    outbox = Outbox(world.tables, producer="crm", clock=SystemClock())
    with Running(Relay(world.database, world.tables, bus).run, consumer.run):
        for _ in range(20):
            with world.database.transaction() as session:
                outbox.add(session, PaymentRetrieved(), aggregate_id="p1", agency_id="a")
        eventually(lambda: len(reader.effects_seen()) == 20, "all effects")
    assert reader.effects_seen() == [("p1", number) for number in range(1, 21)]
    reader.close()


def test_a_consumer_outwaits_its_database(world: World, bus: Bus, database_url: str) -> None:
    """The handler's database goes away (its tables are locked or gone), comes back, and nothing was lost."""
    handlers = EventHandlers()
    handlers.on(PaymentRetrieved, world.effect)
    consumer = Consumer(world.database, world.tables, bus, "portal", handlers, SystemClock(), policy=POLICY)
    admin = open_database(database_url, name="admin")
    with admin.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE bus_seen RENAME TO bus_seen_away")
    with Running(consumer.run):
        events = [retrieved("p1", 1)]
        eventually(lambda: _published(bus, events), "the queue is there")
        with admin.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE bus_seen_away RENAME TO bus_seen")
        eventually(lambda: world.effects_seen() == [("p1", 1)], "the effect", seconds=30)
    admin.dispose()


def _published(bus: Bus, events: list) -> bool:  # type: ignore[type-arg]
    from chassis.bus import Unroutable

    try:
        bus.publish(events)
    except Unroutable:
        return False
    return True
