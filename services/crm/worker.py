"""The CRM's worker: sends what the rooms publish, consumes what concerns them, keeps their timers."""

from chassis.bus import EventHandlers
from chassis.bus.worker import Worker
from chassis.lifecycle import Loop
from services.crm.access import wiring as access
from services.crm.bootstrap import SERVICE
from services.crm.health import readiness
from services.crm.models import event_tables
from services.crm.office import wiring as office
from services.crm.parts import Dependencies
from services.crm.paying import wiring as paying
from services.crm.sales import wiring as sales
from services.crm.signing import wiring as signing
from services.crm.trips import wiring as trips


def event_handlers(deps: Dependencies) -> EventHandlers:
    """Every event the CRM acts on. Where several rooms react to one, this is their order: a street after those that it
    stands on, and in a street as its wiring says."""
    handlers = EventHandlers()
    access.register_events(handlers, deps.access)
    sales.register_events(handlers, deps.core, deps.sales)
    trips.register_events(handlers, deps.trips)
    paying.register_events(handlers, deps.paying)
    signing.register_events(handlers)
    office.register_events(handlers, deps.office)
    return handlers


def timers(deps: Dependencies) -> list[tuple[str, Loop]]:
    """What happens by the clock."""
    return [
        *access.timers(deps.core, deps.access),
        *sales.timers(deps.sales),
        *paying.timers(deps.paying),
        *signing.timers(deps.signing),
        *office.timers(deps.office),
    ]


def bind_queue(deps: Dependencies) -> None:
    """Makes the CRM's queue. Raises BusUnavailable."""
    _worker(deps).bind_queue()


def run(deps: Dependencies) -> None:
    """Runs until SIGTERM or SIGINT; raises SystemExit(1) when a loop dies."""
    _worker(deps).run(timers(deps))


def _worker(deps: Dependencies) -> Worker:
    core, settings = deps.core, deps.core.settings
    return Worker(
        service=SERVICE,
        settings=settings,
        database=core.database,
        tables=event_tables,
        handlers=event_handlers(deps),
        clock=core.clock,
        readiness=lambda bus: readiness(settings, core.database, bus),
    )
