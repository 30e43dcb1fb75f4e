"""The portal's worker: tells what clients did, takes in what the CRM and the notifier tell, prints, keeps house."""

from chassis.bus import EventHandlers
from chassis.bus.worker import Worker
from chassis.lifecycle import Loop, every
from chassis.web.drafts import Drafts
from services.portal.account import events as account_events
from services.portal.agencies import events as agency_events
from services.portal.agents import events as agent_events
from services.portal.bootstrap import SERVICE
from services.portal.client_references import CLIENT_REFERENCES
from services.portal.cvv import events as cvv_events
from services.portal.documents import events as document_events
from services.portal.esign import events as esign_events
from services.portal.health import readiness
from services.portal.insurance import events as insurance_events
from services.portal.itineraries import events as itinerary_events
from services.portal.links import events as link_events
from services.portal.merges import events as merge_events
from services.portal.models import event_tables
from services.portal.news import PAGE_NEWS
from services.portal.orm import drafts
from services.portal.parts import Dependencies
from services.portal.payments import events as payment_events
from services.portal.profile import events as profile_events
from services.portal.registrations import events as registration_events
from services.portal.standing_orders import events as order_events
from services.portal.trips import events as trip_events
from services.portal.visits import events as visit_events

_HOUSEKEEPING_SECONDS = 600.0
_RESETS_SECONDS = 1.0
_VISITS_SECONDS = 1.0
_NEWS_SECONDS = 60.0


def event_handlers(deps: Dependencies) -> EventHandlers:
    """Every event that the portal acts on. Where several rooms react to one, this is their order."""
    handlers = EventHandlers()
    link_events.subscribe(handlers, deps.links)
    payment_events.subscribe(handlers)
    order_events.subscribe(handlers, deps.standing_orders)
    registration_events.subscribe(handlers, deps.registrations)
    cvv_events.subscribe(handlers, deps.cvv)
    esign_events.subscribe(handlers, deps.sign_requests)
    insurance_events.subscribe(handlers, deps.sign_requests)
    visit_events.subscribe(handlers, deps.visits)
    trip_events.subscribe(handlers, deps.trips)
    document_events.subscribe(handlers, deps.trip_documents)
    itinerary_events.subscribe(handlers, deps.itineraries)
    merge_events.subscribe(handlers, CLIENT_REFERENCES, deps.profiles.learn)
    agent_events.subscribe(handlers, deps.agents)
    agency_events.subscribe(handlers, deps.agencies)
    account_events.subscribe(handlers, deps.accounts)
    profile_events.subscribe(handlers, profiles=deps.profiles, accounts=deps.accounts, agents=deps.agents)
    return handlers


def timers(deps: Dependencies) -> list[tuple[str, Loop]]:
    """What happens by the clock."""
    core = deps.core
    kept = Drafts(core.database, drafts, core.clock, secret_key=core.settings.require_secret_key())
    return [
        ("printing", deps.printing.run),
        ("ends of visits", every(_VISITS_SECONDS, deps.visits.settle, "ends of visits")),
        ("names of public pages", every(_HOUSEKEEPING_SECONDS, deps.agents.tell_slugs, "names of public pages")),
        ("password resets", every(_RESETS_SECONDS, deps.accounts.mail_resets, "password resets")),
        ("sign-in housekeeping", every(_HOUSEKEEPING_SECONDS, deps.accounts.sweep, "sign-in housekeeping")),
        ("registrations", every(_HOUSEKEEPING_SECONDS, deps.registrations.sweep, "registrations")),
        ("old news", every(_NEWS_SECONDS, lambda: PAGE_NEWS.sweep(core.database), "old news")),
        ("throttle housekeeping", every(_HOUSEKEEPING_SECONDS, deps.throttle.sweep, "throttle housekeeping")),
        ("draft housekeeping", every(_HOUSEKEEPING_SECONDS, kept.sweep, "draft housekeeping")),
        ("session housekeeping", every(_HOUSEKEEPING_SECONDS, core.sessions.sweep, "session housekeeping")),
    ]


def bind_queue(deps: Dependencies) -> None:
    """Makes the portal's queue. Raises BusUnavailable."""
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
