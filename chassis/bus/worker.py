"""What the worker of every service on the bus does besides its timers: it takes in events and sends them out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chassis.bus.connect import open_bus
from chassis.bus.consumer import Consumer
from chassis.bus.handlers import EventHandlers
from chassis.bus.port import Bus
from chassis.bus.relay import Relay
from chassis.bus.tables import EventTables
from chassis.clock import Clock
from chassis.db import Database, open_database
from chassis.health import Readiness, serve_status
from chassis.lifecycle import Loop, run_until_stopped
from chassis.settings import ServiceSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """One service's worker: the events that it acts on, where it keeps them, and what it needs to be ready."""

    service: str
    settings: ServiceSettings
    database: Database
    tables: EventTables
    handlers: EventHandlers
    clock: Clock
    readiness: Callable[[Bus], Readiness]

    def bind_queue(self) -> None:
        """Makes the service's queue, so that what others publish before the worker's first start finds it.

        Raises BusUnavailable.
        """
        bus = self._bus()
        bus.bind(self.service, self.handlers.patterns())
        bus.close()

    def run(self, timers: Sequence[tuple[str, Loop]]) -> None:
        """Runs until SIGTERM or SIGINT; raises SystemExit(1) when a loop dies."""
        bus = self._bus()
        consumer = Consumer(self.database, self.tables, bus, self.service, self.handlers, self.clock)
        # The relay gets a database handle of its own, so that its waiting never holds a connection that others need.
        outgoing = open_database(self.settings.database_url, name=f"{self.service}-relay")
        relay = Relay(outgoing, self.tables, bus)
        serve_status(self.settings.metrics_listen, self.readiness(bus))
        run_until_stopped([("relay", relay.run), ("consumer", consumer.run), *timers])

    def _bus(self) -> Bus:
        return open_bus(self.settings.bus_url, service=self.service, tls=self.settings.tls)
