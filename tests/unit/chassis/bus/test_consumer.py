"""The consumer: once, in order, and what happens when a handler fails."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, registry

from chassis.bus import BusUnavailable, Consumer, ConsumerPolicy, EventHandlers, EventMeta, RetryLater
from chassis.errors import Unavailable
from protos.wayvault.events.v1.envelope_pb2 import Envelope
from protos.wayvault.events.v1.events_pb2 import PaymentRetrieved, PaymentVoided
from tests.support.bus import FakeBus, FakeDelivery, Running, World, envelope_of, eventually, retrieved
from tests.support.clock import FakeClock
from tests.support.thorough import examples

POLICY = ConsumerPolicy()
React = Callable[[Any, object, EventMeta], None]


def consumer_of(
    world: World, bus: FakeBus, clock: FakeClock, react: React | None = None, before: object = None
) -> Consumer:
    handlers = EventHandlers()
    handlers.on(PaymentRetrieved, react or world.effect, before=before)  # type: ignore[arg-type]
    return Consumer(world.database, world.tables, bus, "portal", handlers, clock, policy=POLICY)


def take(consumer: Consumer, envelope: Envelope, *, replayed: bool = False) -> list[str]:
    delivery = FakeDelivery(envelope.SerializeToString(), replayed)
    consumer.take(delivery)
    return delivery.settled


@pytest.fixture
def consumer(world: World, fake_bus: FakeBus, clock: FakeClock) -> Consumer:
    return consumer_of(world, fake_bus, clock)


def test_an_event_that_comes_twice_has_one_effect(world: World, consumer: Consumer) -> None:
    event = retrieved("p1")
    assert take(consumer, event) == ["ack"]
    assert take(consumer, event) == ["ack"]
    assert world.effects_seen() == [("p1", 1)]


def test_an_early_event_waits_for_those_before_it(world: World, consumer: Consumer) -> None:
    for sequence in (3, 2):
        assert take(consumer, retrieved("p1", sequence)) == ["ack"]
    assert world.effects_seen() == []
    take(consumer, retrieved("p1", 1))
    assert world.effects_seen() == [("p1", 1), ("p1", 2), ("p1", 3)]


def test_a_type_without_a_handler_and_an_unknown_type_only_advance_the_sequence(
    world: World, consumer: Consumer
) -> None:
    take(consumer, retrieved("p1", 1))
    take(consumer, envelope_of(PaymentVoided(), aggregate_id="p1", sequence=2))
    newer = retrieved("p1", 3)
    newer.type = "payment.invented_later"
    take(consumer, newer)
    take(consumer, retrieved("p1", 4))
    assert world.effects_seen() == [("p1", 1), ("p1", 4)]


def test_producers_number_the_same_aggregate_independently(world: World, consumer: Consumer) -> None:
    other = retrieved("p1", 1)
    other.type, other.producer = "payment.seen_by_portal", "portal"
    take(consumer, other)
    take(consumer, retrieved("p1", 1))
    assert world.effects_seen() == [("p1", 1)]


def test_a_gap_is_given_up_after_its_time_limit_and_the_straggler_becomes_a_dead_letter(
    world: World, consumer: Consumer, fake_bus: FakeBus, clock: FakeClock
) -> None:
    take(consumer, retrieved("p1", 1))
    take(consumer, retrieved("p1", 3))
    clock.advance(POLICY.gap_limit - timedelta(seconds=1))
    consumer.sweep()
    assert world.effects_seen() == [("p1", 1)]
    clock.advance(timedelta(seconds=1))
    consumer.sweep()
    assert world.effects_seen() == [("p1", 1), ("p1", 3)]
    late = retrieved("p1", 2)
    take(consumer, late)
    assert fake_bus.buried == [(late.event_id, "late")]
    assert world.effects_seen() == [("p1", 1), ("p1", 3)]


def test_a_poisonous_event_is_tried_five_times_with_growing_pauses_then_buried_and_the_next_goes_on(
    world: World, fake_bus: FakeBus, clock: FakeClock
) -> None:
    tries: list[float] = []
    start = clock.now()

    def react(session: object, message: object, meta: EventMeta) -> None:
        if meta.sequence == 1:
            world.effect(session, message, meta)  # must be rolled back
            tries.append((clock.now() - start).total_seconds())
            raise ValueError("the content of the message")
        world.effect(session, message, meta)

    consumer = consumer_of(world, fake_bus, clock, react)
    poison = retrieved("p1", 1)
    assert take(consumer, poison) == ["ack"]
    take(consumer, retrieved("p1", 2))
    for _ in range(200):
        clock.advance(timedelta(seconds=1))
        consumer.sweep()
    assert tries == [0, 1, 5, 21, 85]
    assert fake_bus.buried == [(poison.event_id, "attempts")]
    assert world.effects_seen() == [("p1", 2)]


def test_a_replayed_event_has_its_effect_although_newer_ones_had_theirs(
    world: World, fake_bus: FakeBus, clock: FakeClock
) -> None:
    broken = [True]
    seen: list[bool] = []

    def react(session: object, message: object, meta: EventMeta) -> None:
        if broken[0] and meta.sequence == 1:
            raise ValueError
        seen.append(meta.replayed)
        world.effect(session, message, meta)

    consumer = consumer_of(world, fake_bus, clock, react)
    event = retrieved("p1", 1)
    take(consumer, event)
    take(consumer, retrieved("p1", 2))
    for _ in range(200):
        clock.advance(timedelta(seconds=1))
        consumer.sweep()
    broken[0] = False
    take(consumer, event, replayed=True)
    take(consumer, event, replayed=True)
    assert world.effects_seen() == [("p1", 2), ("p1", 1)]
    assert seen == [False, True]
    take(consumer, retrieved("p1", 3))
    assert world.effects_seen()[-1] == ("p1", 3)


@pytest.mark.parametrize(
    "fault", [RetryLater(2), Unavailable(), OperationalError("select", {}, Exception("database is locked"))]
)
def test_a_passing_fault_is_outwaited_without_counting_as_an_attempt(
    world: World, fake_bus: FakeBus, clock: FakeClock, fault: Exception
) -> None:
    tries: list[float] = []
    start = clock.now()

    def react(session: object, message: object, meta: EventMeta) -> None:
        tries.append((clock.now() - start).total_seconds())
        if len(tries) <= 8:
            raise fault
        world.effect(session, message, meta)

    consumer = consumer_of(world, fake_bus, clock, react)
    take(consumer, retrieved("p1", 1))
    for _ in range(900):
        clock.advance(timedelta(seconds=1))
        consumer.sweep()
    assert tries == [0, 2, 6, 14, 30, 62, 126, 254, 510]
    assert fake_bus.buried == []
    assert world.effects_seen() == [("p1", 1)]


def test_an_attempt_that_ends_the_process_counts(world: World, fake_bus: FakeBus, clock: FakeClock) -> None:
    class Killed(BaseException):
        pass

    tries = [0]

    def react(session: object, message: object, meta: EventMeta) -> None:
        tries[0] += 1
        if tries[0] == 1:
            raise ValueError
        raise Killed

    consumer = consumer_of(world, fake_bus, clock, react)
    event = retrieved("p1", 1)
    take(consumer, event)
    for _ in range(10):
        clock.advance(timedelta(minutes=5))
        try:
            consumer.sweep()
        except Killed:
            consumer = consumer_of(world, fake_bus, clock, react)
    assert tries == [5]
    assert fake_bus.buried == [(event.event_id, "attempts")]


def test_nothing_is_settled_while_the_dead_letters_can_not_be_reached(
    world: World, consumer: Consumer, fake_bus: FakeBus
) -> None:
    broken = retrieved("p1", 1)
    broken.payload = b"\xff\xff"
    fake_bus.away = True
    delivery = FakeDelivery(broken.SerializeToString())
    with pytest.raises(BusUnavailable):
        consumer.take(delivery)
    assert delivery.settled == []
    fake_bus.away = False
    consumer.take(delivery)
    assert delivery.settled == ["ack"]
    assert fake_bus.buried == [(broken.event_id, "malformed payload")]


def test_work_before_the_transaction_is_done_only_when_it_is_the_events_turn(
    world: World, fake_bus: FakeBus, clock: FakeClock
) -> None:
    prepared: list[int] = []
    consumer = consumer_of(world, fake_bus, clock, before=lambda message, meta: prepared.append(meta.sequence))
    event = retrieved("p1", 2)
    take(consumer, event)
    assert prepared == []
    take(consumer, retrieved("p1", 1))
    take(consumer, event)
    assert prepared == [1, 2]
    assert world.effects_seen() == [("p1", 1), ("p1", 2)]


def test_a_fault_in_the_work_before_is_treated_like_one_in_the_handler(
    world: World, fake_bus: FakeBus, clock: FakeClock
) -> None:
    answers: list[Exception | None] = [Unavailable(), ValueError(), None]

    def before(message: object, meta: EventMeta) -> None:
        if (fault := answers.pop(0)) is not None:
            raise fault

    consumer = consumer_of(world, fake_bus, clock, before=before)
    take(consumer, retrieved("p1", 1))
    for _ in range(20):
        clock.advance(timedelta(seconds=1))
        consumer.sweep()
    assert answers == []
    assert world.effects_seen() == [("p1", 1)]


@given(body=st.binary(max_size=200))
@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_lies_in_the_queue_does_not_stop_the_consumer(consumer: Consumer, body: bytes) -> None:
    delivery = FakeDelivery(body)
    consumer.take(delivery)
    assert len(delivery.settled) == 1


def test_an_event_in_the_name_of_another_service_is_rejected(world: World, consumer: Consumer) -> None:
    forged = retrieved("p1")
    forged.producer = "portal"
    assert take(consumer, forged) == ["an envelope that contradicts the catalogue"]
    assert world.effects_seen() == []


def test_the_log_names_the_fault_but_never_quotes_it(
    world: World,
    fake_bus: FakeBus,
    clock: FakeClock,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    def react(session: object, message: object, meta: EventMeta) -> None:
        raise ValueError("4111 1111 1111 1111")

    with caplog.at_level(logging.DEBUG):
        take(consumer_of(world, fake_bus, clock, react), retrieved("p1"))
    output = capsys.readouterr()
    text = output.out + output.err + caplog.text
    assert "ValueError" in text
    assert "4111" not in text


@st.composite
def deliveries(draw: st.DrawFn) -> list[tuple[str, int]]:
    """Events of a few aggregates, shuffled, some of them more than once."""
    counts = draw(st.lists(st.integers(1, 5), min_size=1, max_size=3))
    events = [(f"p{index}", number) for index, count in enumerate(counts) for number in range(1, count + 1)]
    doubled = events + draw(st.lists(st.sampled_from(events), max_size=6))
    return draw(st.permutations(doubled))


@given(order=deliveries(), faults=st.lists(st.sampled_from(["", "raise", "later"]), max_size=12))
@settings(max_examples=examples(60), deadline=None)
def test_shuffled_doubled_and_failing_events_have_their_effects_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, order: list[tuple[str, int]], faults: list[str]
) -> None:
    world = World(f"sqlite:///{tmp_path_factory.mktemp('law')}/world.db")
    clock, bus, left = FakeClock(), FakeBus(), list(faults)

    def react(session: object, message: object, meta: EventMeta) -> None:
        match left.pop() if left else "":
            case "raise" if left.count("raise") < 4:
                raise ValueError
            case "later":
                raise RetryLater(1)
        world.effect(session, message, meta)

    consumer = consumer_of(world, bus, clock, react)
    envelopes = {event: retrieved(*event) for event in order}
    for event in order:
        assert take(consumer, envelopes[event]) == ["ack"]
        clock.advance(timedelta(milliseconds=200))
        consumer.sweep()
    for _ in range(12):
        clock.advance(timedelta(minutes=5))
        consumer.sweep()
    world.close()
    seen = world.effects_seen()
    for aggregate in {aggregate for aggregate, _ in order}:
        mine = [number for name, number in seen if name == aggregate]
        assert mine == list(range(1, len(mine) + 1))
    assert sorted(seen) == sorted(set(order))
    assert bus.buried == []


def consumed(world: World, fake_bus: FakeBus, clock: FakeClock, sent: list[Envelope], react: React) -> list[list[str]]:
    """Lets a consumer run over deliveries that wait together; gives how each was settled."""
    fake_bus.ready = [FakeDelivery(one.SerializeToString()) for one in sent]
    deliveries = list(fake_bus.ready)
    with Running(consumer_of(world, fake_bus, clock, react).run):
        eventually(lambda: all(one.settled for one in deliveries), "all are settled")
    return [one.settled for one in deliveries]


def test_events_that_wait_together_share_a_transaction(world: World, fake_bus: FakeBus, clock: FakeClock) -> None:
    transactions = []

    def react(session: Session, message: object, meta: EventMeta) -> None:
        transactions.append(session)
        world.effect(session, message, meta)

    sent = [retrieved("p1", 1), retrieved("p2", 1), retrieved("p1", 2), retrieved("p2", 1)]
    sent[3].event_id = sent[1].event_id
    assert consumed(world, fake_bus, clock, sent, react) == [["ack"]] * 4
    assert world.effects_seen() == [("p1", 1), ("p2", 1), ("p1", 2)]
    assert len(set(map(id, transactions))) == 1


def test_an_event_that_fails_among_others_undoes_none_of_theirs(
    world: World, fake_bus: FakeBus, clock: FakeClock
) -> None:
    def react(session: Session, message: object, meta: EventMeta) -> None:
        world.effect(session, message, meta)
        if meta.aggregate_id == "p2":
            raise ValueError

    sent = [retrieved("p1", 1), retrieved("p2", 1), retrieved("p2", 2), retrieved("p3", 1)]
    assert consumed(world, fake_bus, clock, sent, react) == [["ack"]] * 4
    assert world.effects_seen() == [("p1", 1), ("p3", 1)]
    with world.database.read() as session:
        parked = session.execute(select(world.tables.parked.c.sequence, world.tables.parked.c.reason)).all()
    assert sorted(map(tuple, parked)) == [(1, "retry"), (2, "gap")]


def test_an_effect_does_not_see_what_another_left_in_the_session(
    world: World, fake_bus: FakeBus, clock: FakeClock
) -> None:
    class Effect:
        def __init__(self, meta: EventMeta) -> None:
            self.aggregate_id, self.sequence, self.event_id = meta.aggregate_id, meta.sequence, meta.event_id

    registry().map_imperatively(Effect, world.effects)
    left = []

    def react(session: Session, message: object, meta: EventMeta) -> None:
        left.append((len(session.identity_map), len(session.new)))
        session.add(Effect(meta))

    consumed(world, fake_bus, clock, [retrieved("p1", 1), retrieved("p2", 1)], react)
    assert left == [(0, 0), (0, 0)]
    assert world.effects_seen() == [("p1", 1), ("p2", 1)]
