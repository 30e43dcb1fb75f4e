"""The composition of the office: help, support, e-mails that failed, the audit viewer, and the reports."""

from chassis.bus import EventHandlers
from chassis.lifecycle import Loop, every
from chassis.rpc import open_channel
from chassis.sealing import LetterSealer
from services.crm.access.parts import Access
from services.crm.config import CrmSettings
from services.crm.core.parts import Core
from services.crm.office.audit.service import AuditViewer, TrailPort
from services.crm.office.audit.vault_grpc import GrpcTrail
from services.crm.office.calendar.feeds import CalendarFeeds
from services.crm.office.calendar.service import Calendars
from services.crm.office.dispute_packs.service import DisputePacks
from services.crm.office.finding.service import Finder
from services.crm.office.first_steps.service import FirstSteps
from services.crm.office.handouts.service import HandoutDesk
from services.crm.office.mail_outcomes import events as mail_events
from services.crm.office.mail_outcomes.resending import Resending
from services.crm.office.mail_outcomes.service import MailOutcomes
from services.crm.office.mail_outcomes.service import count_waiting as count_failures
from services.crm.office.parts import Office
from services.crm.office.reports.commissions import Commissions
from services.crm.office.reports.service import Reports
from services.crm.office.support.service import Support
from services.crm.office.support.service import count_waiting as count_tickets
from services.crm.office.training.service import Guides
from services.crm.office.visits import events as visit_events
from services.crm.office.visits.service import Visits
from services.crm.paying.parts import Paying
from services.crm.paying.payments.days import card_lapses
from services.crm.sales.clients.days import yearly_days
from services.crm.sales.parts import Sales
from services.crm.sales.tasks.days import open_tasks
from services.crm.signing.parts import Signing
from services.crm.trips.bookings.days import departures, returns
from services.crm.trips.parts import Trips

_EXPIRY_SECONDS = 30.0


def open_trail(settings: CrmSettings) -> TrailPort:
    """The vault's trail over mTLS; nothing is opened before the first call."""
    return GrpcTrail(open_channel(settings.vault_address, settings.tls, settings.vault_server_name))


def make_office(
    core: Core,
    access: Access,
    sales: Sales,
    trips: Trips,
    *,
    paying: Paying,
    signing: Signing,
    letters: LetterSealer,
    trail: TrailPort,
) -> Office:
    """The rooms, joined."""
    database, clock, directory = core.database, core.clock, access.directory
    mails = MailOutcomes(database=database, clock=clock, directory=directory, clients=sales.clients)
    reports = Reports(database=database, clock=clock, directory=directory)
    calendars = Calendars(
        database=database,
        clock=clock,
        reports=reports,
        sources=(departures, returns, reports.dues_by_day, card_lapses, open_tasks, yearly_days),
    )
    handouts = HandoutDesk(database=database, clock=clock)
    core.waiting.add("tickets", count_tickets)
    core.waiting.add("mail failures", count_failures)
    visits = Visits(
        database=database,
        outbox=core.outbox,
        clock=clock,
        bookings=trips.bookings,
        directory=directory,
        links=paying.links,
        requests=signing.requests,
        offers=signing.insurance,
        letters=letters,
        portal_url=core.settings.portal_url,
    )
    return Office(
        visits=visits,
        support=Support(database=database, outbox=core.outbox, clock=clock, directory=directory),
        guides=Guides(),
        mail_outcomes=mails,
        resending=Resending(access=access, sales=sales, trips=trips, paying=paying, signing=signing, visits=visits),
        audit=AuditViewer(database=database, trail=trail),
        reports=reports,
        calendars=calendars,
        feeds=CalendarFeeds(database=database, clock=clock, calendars=calendars, agents=directory.actor),
        commissions=Commissions(database=database, clock=clock, bookings=trips.bookings),
        finder=Finder(
            clients=sales.clients,
            groups=sales.groups,
            bookings=trips.bookings,
            book=paying.book,
            suppliers=sales.suppliers,
        ),
        dispute_packs=DisputePacks(
            clock=clock,
            directory=directory,
            trips=trips,
            paying=paying,
            signing=signing,
            mails=mails,
            portal_url=core.settings.portal_url,
        ),
        first_steps=FirstSteps(database=database, clock=clock, access=access, book=paying.book, handouts=handouts),
        handouts=handouts,
    )


def register_events(handlers: EventHandlers, office: Office) -> None:
    """What the rooms do on events of notifier and portal."""
    mail_events.register(handlers)
    visit_events.register(handlers, office.visits)


def timers(office: Office) -> list[tuple[str, Loop]]:
    """What the rooms do by the clock."""
    return [("visit expiry", every(_EXPIRY_SECONDS, office.visits.expire_due, "visit expiry"))]
