"""The CRM's worker: sends what the rooms publish, consumes what concerns them, keeps their timers."""

from chassis.bus import Bus, Consumer, EventHandlers, Relay, open_bus
from chassis.lifecycle import Loop, every, run_until_stopped
from chassis.rpc.tls import TlsFiles
from chassis.telemetry import serve_metrics
from services.crm.bootstrap import SERVICE, Dependencies
from services.crm.models import event_tables
from services.crm.paying.reminders import events as reminder_events
from services.crm.paying.wiring import payment_timers, register_events
from services.crm.sales.clients.portal_changes import ProfileChanges
from services.crm.sales.portal_access import events as portal_access_events
from services.crm.signing.wiring import register_events as register_signing
from services.crm.signing.wiring import signing_timers
from services.crm.trips.bookings import events as booking_events
from services.crm.trips.quotes import events as quote_events

HOUSEKEEPING_SECONDS = 600.0
MERGES_SECONDS = 60.0


def event_handlers(deps: Dependencies) -> EventHandlers:
    """Every event the CRM acts on, each room's registered by the room itself."""
    handlers = EventHandlers()
    register_events(handlers, deps.paying)
    register_signing(handlers)
    portal_access_events.register(handlers, deps.portal_access)
    quote_events.register(handlers, deps.quotes)
    reminder_events.register(handlers, deps.reminder_log)
    booking_events.register(handlers, deps.bookings.note_name)
    ProfileChanges(clients=deps.clients, clock=deps.clock).register(handlers)
    return handlers


def timers(deps: Dependencies) -> list[tuple[str, Loop]]:
    """What happens by the clock."""
    return [
        ("sign-in housekeeping", every(HOUSEKEEPING_SECONDS, deps.sign_in.sweep, "sign-in housekeeping")),
        ("session housekeeping", every(HOUSEKEEPING_SECONDS, deps.sessions.sweep, "session housekeeping")),
        ("late references", every(MERGES_SECONDS, deps.merges.settle, "late references")),
        *payment_timers(deps.paying),
        *signing_timers(deps.signing),
    ]


def bind_queue(deps: Dependencies) -> None:
    """Makes the CRM's queue, so that what others publish before this worker's first start finds it.

    Raises BusUnavailable.
    """
    bus = _bus(deps)
    bus.bind(SERVICE, event_handlers(deps).patterns())
    bus.close()


def run(deps: Dependencies) -> None:
    """Runs until SIGTERM or SIGINT; raises SystemExit(1) when a loop dies."""
    settings = deps.settings
    bus = _bus(deps)
    relay = Relay(deps.database, event_tables, bus)
    consumer = Consumer(deps.database, event_tables, bus, SERVICE, event_handlers(deps), deps.clock)
    serve_metrics(settings.metrics_listen)
    run_until_stopped([("relay", relay.run), ("consumer", consumer.run), *timers(deps)])


def _bus(deps: Dependencies) -> Bus:
    settings = deps.settings
    tls = TlsFiles(ca=settings.tls_ca, cert=settings.tls_cert, key=settings.tls_key)
    return open_bus(settings.bus_url, service=SERVICE, tls=tls)
