"""The relay, against a bus that does as it is told (the real ones: tests/integration/bus)."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from chassis.bus import BusUnavailable, Outbox, Relay
from protos.wayvault.events.v1.events_pb2 import ClientSaved, PaymentRetrieved
from tests.support.bus import FakeBus, Running, World, eventually
from tests.support.clock import FakeClock


@pytest.fixture
def relay(world: World, fake_bus: FakeBus, clock: FakeClock) -> Relay:
    return Relay(world.database, world.tables, fake_bus, clock=clock)


def tell(world: World, clock: FakeClock, *aggregates: str) -> None:
    outbox = Outbox(world.tables, producer="crm", clock=clock)
    for aggregate in aggregates:
        with world.database.transaction() as session:
            outbox.add(session, PaymentRetrieved(), aggregate_id=aggregate, agency_id="a")


def unsent(world: World) -> int:
    with world.database.read() as session:
        table = world.tables.outbox
        return session.execute(select(func.count()).select_from(table).where(table.c.sent_at.is_(None))).scalar_one()


def test_events_go_out_once_and_in_order(world: World, relay: Relay, fake_bus: FakeBus, clock: FakeClock) -> None:
    tell(world, clock, "p1", "p2", "p1", "p1")
    assert relay.pump() == 4
    assert relay.pump() == 0
    assert [(one.aggregate_id, one.sequence) for one in fake_bus.published] == [
        ("p1", 1),
        ("p2", 1),
        ("p1", 2),
        ("p1", 3),
    ]
    assert unsent(world) == 0


def test_nothing_is_marked_while_the_bus_is_away(
    world: World, relay: Relay, fake_bus: FakeBus, clock: FakeClock
) -> None:
    tell(world, clock, "p1")
    fake_bus.away = True
    with pytest.raises(BusUnavailable):
        relay.pump()
    assert unsent(world) == 1
    fake_bus.away = False
    assert relay.pump() == 1


def test_an_unroutable_event_waits_longer_each_time_and_holds_up_only_its_own_aggregate(
    world: World, relay: Relay, fake_bus: FakeBus, clock: FakeClock
) -> None:
    fake_bus.unroutable_types = {"client.saved"}
    outbox = Outbox(world.tables, producer="crm", clock=clock)
    with world.database.transaction() as session:
        outbox.add(session, ClientSaved(), aggregate_id="c1", agency_id="a")
    tell(world, clock, "p1")
    assert relay.pump() == 1
    tell(world, clock, "p1")
    assert relay.pump() == 1
    assert relay.pump() == 0
    for seconds in (1, 2, 4):
        clock.advance(timedelta(seconds=seconds - 0.5))
        clock.advance(timedelta(seconds=0.5))
        assert relay.pump() == 0
    fake_bus.unroutable_types = set()
    assert relay.pump() == 0, "not before its pause is over"
    clock.advance(timedelta(seconds=8))
    assert relay.pump() == 1


def test_a_running_relay_outwaits_a_bus_that_is_away(world: World, fake_bus: FakeBus) -> None:
    clock = FakeClock()
    fake_bus.away = True
    relay = Relay(world.database, world.tables, fake_bus)
    with Running(relay.run):
        tell(world, clock, "p1", "p2")
        fake_bus.away = False
        eventually(lambda: len(fake_bus.published) == 2, "both events are published")


def test_one_database_file_has_one_relay_and_another_takes_over(world: World, fake_bus: FakeBus) -> None:
    clock = FakeClock()
    second = Relay(world.database, world.tables, fake_bus)
    with Running(second.run):
        with Running(Relay(world.database, world.tables, fake_bus).run):
            tell(world, clock, *[f"p{number}" for number in range(20)])
            eventually(lambda: unsent(world) == 0, "all are sent")
        assert len(fake_bus.published) == 20
        tell(world, clock, "p1")
        eventually(lambda: len(fake_bus.published) == 21, "the one that stayed goes on")


def test_what_was_sent_long_ago_is_forgotten(world: World, fake_bus: FakeBus, clock: FakeClock) -> None:
    tell(world, clock, "p1")
    relay = Relay(world.database, world.tables, fake_bus, clock=clock)
    relay.pump()
    clock.advance(timedelta(days=1, seconds=1))
    tell(world, clock, "p2")
    relay._keep_house()
    with world.database.read() as session:
        kept = [row.aggregate_id for row in session.execute(select(world.tables.outbox))]
    assert kept == ["p2"]
