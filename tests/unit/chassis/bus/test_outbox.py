"""An event is written in the transaction that makes it true."""

import threading

import pytest
from sqlalchemy import select

from chassis.bus import CatalogueError, Outbox, OutboxError
from chassis.bus.outbox import LARGEST_PAYLOAD
from chassis.bus.wake import SqliteWaker
from chassis.telemetry import span
from protos.wayvault.events.v1.envelope_pb2 import Envelope
from protos.wayvault.events.v1.events_pb2 import DocumentSigned, PaymentRetrieved
from tests.support.bus import World
from tests.support.clock import FakeClock


@pytest.fixture
def outbox(world: World, clock: FakeClock) -> Outbox:
    return Outbox(world.tables, producer="crm", clock=clock)


def add(world: World, outbox: Outbox, aggregate_id: str) -> str:
    with world.database.transaction() as session:
        message = PaymentRetrieved(payment_id=aggregate_id)
        return outbox.add(session, message, aggregate_id=aggregate_id, agency_id="agency_1")


def stored(world: World) -> list[Envelope]:
    with world.database.read() as session:
        rows = session.execute(select(world.tables.outbox.c.envelope).order_by(world.tables.outbox.c.id))
        return [Envelope.FromString(row.envelope) for row in rows]


def test_the_envelope_says_what_when_by_whom_and_in_which_trace(world: World, outbox: Outbox, clock: FakeClock) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with span("work", parent=trace):
        event_id = add(world, outbox, "p1")
    (envelope,) = stored(world)
    assert (envelope.event_id, envelope.type, envelope.aggregate_type, envelope.aggregate_id) == (
        event_id,
        "payment.retrieved",
        "payment",
        "p1",
    )
    assert (envelope.sequence, envelope.producer, envelope.agency_id) == (1, "crm", "agency_1")
    assert envelope.occurred_at.ToDatetime(tzinfo=clock.now().tzinfo) == clock.now()
    assert envelope.traceparent == trace
    assert PaymentRetrieved.FromString(envelope.payload).payment_id == "p1"


def test_numbers_run_per_aggregate_from_one(world: World, outbox: Outbox) -> None:
    for aggregate in ("p1", "p2", "p1", "p1"):
        add(world, outbox, aggregate)
    assert [(one.aggregate_id, one.sequence) for one in stored(world)] == [("p1", 1), ("p2", 1), ("p1", 2), ("p1", 3)]


def test_a_rollback_takes_the_event_and_its_number_back(world: World, outbox: Outbox) -> None:
    def doomed() -> None:
        with world.database.transaction() as session:
            outbox.add(session, PaymentRetrieved(), aggregate_id="p1", agency_id="a")
            raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        doomed()
    assert stored(world) == []
    add(world, outbox, "p1")
    assert [one.sequence for one in stored(world)] == [1]


def test_a_service_can_not_publish_anothers_event_or_one_that_is_none(world: World, outbox: Outbox) -> None:
    with world.database.transaction() as session:
        with pytest.raises(OutboxError, match=r"document\.signed is published by portal, not by crm"):
            outbox.add(session, DocumentSigned(), aggregate_id="d1", agency_id="a")
        with pytest.raises(CatalogueError):
            outbox.add(session, Envelope(), aggregate_id="d1", agency_id="a")
        with pytest.raises(OutboxError, match="needs the id"):
            outbox.add(session, PaymentRetrieved(), aggregate_id="", agency_id="a")
    with pytest.raises(OutboxError, match="no service is called"):
        Outbox(world.tables, producer="vault", clock=FakeClock())


def test_an_event_too_large_to_publish_is_refused_where_it_arises(world: World, clock: FakeClock) -> None:
    portal = Outbox(world.tables, producer="portal", clock=clock)
    with world.database.transaction() as session, pytest.raises(OutboxError, match="too large"):
        portal.add(session, DocumentSigned(pdf=bytes(LARGEST_PAYLOAD)), aggregate_id="d1", agency_id="a")


def test_a_commit_wakes_a_relay_that_sleeps_in_this_process(world: World, outbox: Outbox) -> None:
    waker = SqliteWaker(world.database)
    while waker.wait(0):  # the first look at the file counts as news
        pass
    woken: list[bool] = []
    sleeper = threading.Thread(target=lambda: woken.append(waker.wait(30)))
    sleeper.start()
    add(world, outbox, "p1")
    sleeper.join(10)
    assert woken == [True]
    waker.close()


def test_a_relay_in_another_process_notices_a_commit(world: World, outbox: Outbox) -> None:
    waker = SqliteWaker(world.database)
    while waker.wait(0):
        pass
    waker._bell.rung = threading.Event()  # what another process's commit hook can't ring
    waker._bell.url = waker._bell.url.set(database="elsewhere.db")
    add(world, outbox, "p1")
    assert waker.wait(5)
    assert not waker.wait(0)
    waker.close()
