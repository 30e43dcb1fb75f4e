"""The connection to the broker is cut, again and again, in the middle of the work."""

import random
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from chassis.bus import Consumer, EventHandlers, Outbox, Relay, RelayPolicy, open_bus
from chassis.clock import SystemClock
from protos.wayvault.events.v1.events_pb2 import PaymentRetrieved
from tests.support.bus import Running, World, eventually, rabbit_tls

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]


class Cable:
    """A TCP relay on a port of its own that can be cut and mended."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._mended = threading.Event()
        self._mended.set()
        self._open: list[socket.socket] = []
        self._pumps: list[threading.Thread] = []
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if not self._mended.is_set():
                    near.close()
                    continue
                far = socket.create_connection(self._target)
                self._open += [near, far]
                pair = [threading.Thread(target=self._pump, args=ends) for ends in ((near, far), (far, near))]
                for pump in pair:
                    pump.start()
                self._pumps += pair

    @staticmethod
    def _pump(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(4096):
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """Breaks every connection, and refuses new ones until it is mended."""
        self._mended.clear()
        self.cuts += 1
        for end in self._open:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self._mended.set()

    def close(self) -> None:
        self.cut()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for pump in self._pumps:
            pump.join(10)
        for end in self._open:
            end.close()


@pytest.fixture
def cable(rabbit_url: str) -> Iterator[Cable]:
    target = urlsplit(rabbit_url)
    made = Cable(target.hostname or "", target.port or 0)
    yield made
    made.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(f"sqlite:///{tmp_path}/world.db")
    yield made
    made.close()


def test_a_broker_that_comes_and_goes_loses_nothing_and_doubles_nothing(
    cable: Cable, rabbit_url: str, world: World
) -> None:
    target = urlsplit(rabbit_url)
    credentials = target.netloc.rpartition("@")[0]
    url = target._replace(netloc=f"{credentials}@127.0.0.1:{cable.port}").geturl()
    bus = open_bus(url, service="crm", tls=rabbit_tls())
    handlers = EventHandlers()
    handlers.on(PaymentRetrieved, world.effect)
    consumer = Consumer(world.database, world.tables, bus, "portal", handlers, SystemClock())
    relay = Relay(world.database, world.tables, bus, policy=RelayPolicy(batch=5, longest_pause=0.5))
    outbox = Outbox(world.tables, producer="crm", clock=SystemClock())
    dice = random.Random(7)
    pause = threading.Event()
    told = 0
    with Running(relay.run, consumer.run):
        for _ in range(6):
            for _ in range(20):
                with world.database.transaction() as session:
                    told += 1
                    aggregate = f"p{told % 4}"
                    outbox.add(session, PaymentRetrieved(), aggregate_id=aggregate, agency_id="a")
            pause.wait(dice.uniform(0, 0.4))
            cable.cut()
            pause.wait(dice.uniform(0, 0.4))
            cable.mend()
        eventually(lambda: len(world.effects_seen()) >= told, "every effect", seconds=120)
    seen = world.effects_seen()
    assert len(seen) == len(set(seen)) == told == 120
    for number in range(4):
        assert [sequence for name, sequence in seen if name == f"p{number}"] == list(range(1, 31))
    assert cable.cuts == 6
    bus.close()
