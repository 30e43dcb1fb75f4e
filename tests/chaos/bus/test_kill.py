"""kill -9 of relay and consumer at every step: nothing lost, nothing done twice, order kept.

Each round forks a real process that kills itself with SIGKILL just before its n-th step, where a step is any statement
or commit on its database and any call of the bus, entered or left. Then a process without a death wish finishes the
work. Rounds go on until a process gets through all its steps alive: so every step was died at once.
"""

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, func, select

from chassis.bus import Bus, Consumer, ConsumerPolicy, EventHandlers, Outbox, Relay, open_bus
from chassis.bus.port import DeadLetter, Delivery, Subscription
from chassis.clock import SystemClock
from protos.wayvault.events.v1.envelope_pb2 import Envelope
from protos.wayvault.events.v1.events_pb2 import PaymentRetrieved
from tests.support.bus import World, eventually, rabbit_tls

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]
POLICY = ConsumerPolicy(first_pause=timedelta(milliseconds=10), claim_lease=timedelta(milliseconds=50))
READER = "portal"
_MANY = 10_000


class Fate:
    """Counts steps and kills the process before the chosen one."""

    def __init__(self, at: int) -> None:
        self._left = at

    def step(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, act: Callable[[], object]) -> None:
        self.step()
        act()
        self.step()

    def watch(self, world: World) -> None:
        """Every statement, every commit, and the moment after a commit count."""
        event.listen(world.database.engine, "before_cursor_execute", lambda *_: self.step())
        event.listen(world.database.engine, "commit", lambda *_: self.step())
        event.listen(world.database.engine, "checkin", lambda *_: self.step())


class FatefulDelivery:
    def __init__(self, inner: Delivery, fate: Fate) -> None:
        self._inner, self._fate = inner, fate
        self.body, self.replayed = inner.body, inner.replayed
        self.handed_out_before = inner.handed_out_before

    def ack(self) -> None:
        self._fate.around(self._inner.ack)

    def reject(self, reason: str) -> None:
        self._fate.around(lambda: self._inner.reject(reason))


class FatefulBus:
    """A bus whose every call may be the last."""

    def __init__(self, inner: Bus, fate: Fate) -> None:
        self._inner, self._fate = inner, fate

    def publish(self, envelopes: Sequence[Envelope]) -> None:
        self._fate.around(lambda: self._inner.publish(envelopes))

    def bury(self, envelope: Envelope, *, service: str, reason: str) -> None:
        self._fate.around(lambda: self._inner.bury(envelope, service=service, reason=reason))

    def bind(self, service: str, patterns: Collection[str]) -> None:
        self._inner.bind(service, patterns)

    def subscribe(self, service: str, patterns: Collection[str]) -> Subscription:
        return self._inner.subscribe(service, patterns)

    def waiting(self, service: str) -> int:
        return self._inner.waiting(service)

    def dead_letters(self) -> Sequence[DeadLetter]:
        return self._inner.dead_letters()

    def dead_letter_count(self) -> int:
        return self._inner.dead_letter_count()

    def replay(self, service: str, event_ids: Collection[str] | None = None) -> int:
        return self._inner.replay(service, event_ids)

    def drop(self, service: str, event_ids: Collection[str] | None = None) -> int:
        return self._inner.drop(service, event_ids)

    def close(self) -> None:
        self._inner.close()


def relay_process(database_url: str, bus_url: str, kill_at: int) -> None:
    fate = Fate(kill_at)
    world = World(database_url, name="crm", create=False)
    fate.watch(world)
    bus = FatefulBus(open_bus(bus_url, service="crm", tls=rabbit_tls()), fate)
    relay = Relay(world.database, world.tables, bus)
    while relay.pump():
        pass
    os._exit(0)


def consumer_process(database_url: str, bus_url: str, kill_at: int, expected: int) -> None:
    """Its handler fails for the second event of each aggregate the first time, so that parking is died in, too."""
    fate = Fate(kill_at)
    world = World(database_url, name=READER, create=False)
    bus = FatefulBus(open_bus(bus_url, service=READER, tls=rabbit_tls()), fate)
    failed: set[str] = set()

    def handler(session: object, message: object, meta: object) -> None:
        world.effect(session, message, meta)
        if meta.sequence == 2 and meta.event_id not in failed:  # type: ignore[attr-defined]
            failed.add(meta.event_id)  # type: ignore[attr-defined]
            raise ValueError

    handlers = EventHandlers()
    handlers.on(PaymentRetrieved, handler)
    consumer = Consumer(world.database, world.tables, bus, READER, handlers, SystemClock(), policy=POLICY)
    subscription = bus.subscribe(READER, handlers.patterns())
    fate.watch(world)
    for _ in range(_MANY):
        if (delivery := subscription.receive(0.02)) is not None:
            others = () if delivery.handed_out_before else subscription.receive_fresh(3)
            consumer.take_all(deque(FatefulDelivery(held, fate) for held in (delivery, *others)))
        consumer.sweep()
        if delivery is None and len(world.effects_seen()) >= expected:
            subscription.close()
            os._exit(0)
    os._exit(3)


def run(target: Callable[..., None], *arguments: object) -> int:
    """The exit status of a forked process: 0, or -9 when it was killed."""
    process = multiprocessing.get_context("fork").Process(target=target, args=arguments)
    process.start()
    process.join(120)
    assert process.exitcode in {0, -signal.SIGKILL}, process.exitcode
    return int(process.exitcode)


@pytest.fixture(params=["embedded", "real"])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """A database and a bus."""
    if request.param == "embedded":
        return f"sqlite:///{tmp_path}/world.db", f"embedded:///{tmp_path}/bus.db"
    return request.getfixturevalue("postgres_url"), request.getfixturevalue("rabbit_url")


def tell(world: World, aggregate: str, times: int) -> None:
    outbox = Outbox(world.tables, producer="crm", clock=SystemClock())
    for _ in range(times):
        with world.database.transaction() as session:
            outbox.add(session, PaymentRetrieved(), aggregate_id=aggregate, agency_id="a")
    world.close()


def unsent(world: World) -> int:
    with world.database.read() as session:
        sent_at = world.tables.outbox.c.sent_at
        left = session.execute(select(func.count()).where(sent_at.is_(None))).scalar_one()
    world.close()
    return left


def bind(bus_url: str) -> Bus:
    bus = open_bus(bus_url, service="tests", tls=rabbit_tls())
    bus.subscribe(READER, ["payment.*.v1"]).close()
    return bus


def test_a_relay_killed_at_any_step_loses_nothing(urls: tuple[str, str]) -> None:
    world = World(urls[0])
    bind(urls[1]).close()
    rounds = 0
    while True:
        rounds += 1
        tell(world, f"p{rounds}", 2)
        killed = run(relay_process, *urls, rounds) != 0
        assert run(relay_process, *urls, _MANY) == 0
        assert unsent(world) == 0
        if not killed:
            break
    assert rounds > 8, "it died at several steps"
    bus = bind(urls[1])
    subscription = bus.subscribe(READER, ["payment.*.v1"])
    arrived: dict[str, list[int]] = {}

    def all_arrived() -> bool:
        if (delivery := subscription.receive(0.1)) is not None:
            envelope = Envelope.FromString(delivery.body)
            arrived.setdefault(envelope.aggregate_id, []).append(envelope.sequence)
            delivery.ack()
        return len(arrived) == rounds and all(set(numbers) == {1, 2} for numbers in arrived.values())

    eventually(all_arrived, "each event reaches the queue at least once", seconds=60)
    subscription.close()
    bus.close()


def test_a_consumer_killed_at_any_step_does_everything_once(urls: tuple[str, str]) -> None:
    world = World(urls[0])
    bind(urls[1]).close()
    rounds = 0
    while True:
        rounds += 1
        aggregate = f"p{rounds}"
        tell(world, aggregate, 3)
        assert run(relay_process, *urls, _MANY) == 0
        killed = run(consumer_process, *urls, rounds, rounds * 3) != 0
        assert run(consumer_process, *urls, _MANY, rounds * 3) == 0
        seen = world.effects_seen()
        world.close()
        assert [number for name, number in seen if name == aggregate] == [1, 2, 3]
        assert len(seen) == rounds * 3
        if not killed:
            break
    assert rounds > 20, "it died at several steps"
    bus = bind(urls[1])
    assert bus.dead_letter_count() == 0
    bus.close()
