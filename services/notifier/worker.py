"""The notifier's worker: consumes events, sends mail, and tells how it went."""

from chassis.bus import EventHandlers
from chassis.bus.worker import Worker
from chassis.lifecycle import Loop, every
from services.notifier.bootstrap import SERVICE
from services.notifier.client_references import CLIENT_REFERENCES
from services.notifier.deliveries.client_mails import ClientMails
from services.notifier.deliveries.document_mails import DocumentMails
from services.notifier.deliveries.events import DeliveryEvents
from services.notifier.deliveries.mailing import Mailing
from services.notifier.deliveries.measure import measure_deliveries
from services.notifier.deliveries.refund_mails import RefundMails
from services.notifier.deliveries.second_reveals import SecondRevealEvents
from services.notifier.deliveries.signing_mails import SigningMails
from services.notifier.deliveries.standing_orders import StandingOrderMails
from services.notifier.deliveries.support_mails import SupportMails
from services.notifier.deliveries.visit_mails import VisitMails
from services.notifier.health import readiness
from services.notifier.merges import events as merge_events
from services.notifier.orm import event_tables
from services.notifier.parts import Dependencies
from services.notifier.reminders.events import ReminderEvents, learn_merged, note_payment, note_refund

_REMINDERS_SECONDS = 15.0
_MEASURE_SECONDS = 15.0


def event_handlers(deps: Dependencies) -> EventHandlers:
    """Every event that the notifier acts on. Where several rooms react to one, this is their order."""
    core, deliveries, crm_url = deps.core, deps.deliveries, deps.core.settings.crm_url
    mailing = Mailing(deliveries=deliveries, letters=core.letters, clock=core.clock)
    handlers = EventHandlers()
    deps.looks.register(handlers)
    DeliveryEvents(mailing=mailing, crm_url=crm_url, note_payment=note_payment, note_refund=note_refund).register(
        handlers
    )
    SigningMails(mailing=mailing, crm_url=crm_url).register(handlers)
    VisitMails(mailing=mailing).register(handlers)
    SecondRevealEvents(mailing=mailing, crm_url=crm_url).register(handlers)
    RefundMails(mailing=mailing, crm_url=crm_url).register(handlers)
    ClientMails(mailing=mailing, crm_url=crm_url, portal_url=core.settings.portal_url).register(handlers)
    ReminderEvents(schedule=deps.reminders).register(handlers)
    SupportMails(deliveries=deliveries, crm_url=crm_url).register(handlers)
    DocumentMails(deliveries=deliveries, portal_url=core.settings.portal_url).register(handlers)
    StandingOrderMails(deliveries=deliveries, crm_url=crm_url, portal_url=core.settings.portal_url).register(handlers)
    merge_events.subscribe(handlers, CLIENT_REFERENCES, learn_merged)
    return handlers


def timers(deps: Dependencies) -> list[tuple[str, Loop]]:
    """What happens by the clock, and the senders."""
    core = deps.core
    return [
        ("reminders", every(_REMINDERS_SECONDS, deps.reminders.run_due, "reminders")),
        ("measure", every(_MEASURE_SECONDS, lambda: measure_deliveries(core.database, core.clock), "measure")),
        ("leases", deps.leases.run),
        *((f"sender {number}", sender.run) for number, sender in enumerate(deps.senders, start=1)),
    ]


def bind_queue(deps: Dependencies) -> None:
    """Makes the notifier's queue. Raises BusUnavailable."""
    _worker(deps).bind_queue()


def run(deps: Dependencies) -> None:
    """Runs until SIGTERM or SIGINT; raises SystemExit(1) when a loop dies."""
    _worker(deps).run(timers(deps))


def _worker(deps: Dependencies) -> Worker:
    core = deps.core
    return Worker(
        service=SERVICE,
        settings=core.settings,
        database=core.database,
        tables=event_tables,
        handlers=event_handlers(deps),
        clock=core.clock,
        readiness=lambda bus: readiness(core.database, bus),
    )
