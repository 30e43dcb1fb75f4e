"""The CRM's composition root: the one place where its parts are made and joined.

Tests call `bootstrap` with fakes for what they don't want to be real. A room that needs more (a vault client, a
letter writer) adds a field to Dependencies and makes it here; nothing is built at import.
"""

from dataclasses import dataclass

from chassis.bus import Outbox
from chassis.clock import Clock, SystemClock
from chassis.db import Database, open_database
from chassis.web.passwords import Passwords
from chassis.web.sessions import ServerSessions
from services.crm.access.agency.service import Directory
from services.crm.access.auth.secrets import AuthenticatorSecrets
from services.crm.access.auth.service import SignIn
from services.crm.client_references import CLIENT_REFERENCES
from services.crm.config import CrmSettings
from services.crm.core.panels import Panels
from services.crm.models import event_tables, session_tables
from services.crm.office.audit.service import TrailPort
from services.crm.office.reports.commissions import Commissions
from services.crm.office.reports.service import Reports
from services.crm.office.wiring import Office, make_office, open_trail
from services.crm.paying.card_removal.service import VaultPort
from services.crm.paying.links.service import Letters
from services.crm.paying.links.terms import self_service_terms
from services.crm.paying.payments.service import PaymentBook, lock_of_clients
from services.crm.paying.reminders.log import ReminderLog
from services.crm.paying.reminders.service import Reminders
from services.crm.paying.wiring import CrmLetters, Paying, make_paying, open_vault
from services.crm.sales.clients.profile import Profiles
from services.crm.sales.clients.service import Clients
from services.crm.sales.merging.service import Merges
from services.crm.sales.portal_access.service import PortalAccess
from services.crm.sales.tasks.service import Tasks
from services.crm.signing.wiring import Signing, make_signing
from services.crm.trips.bookings.service import Bookings
from services.crm.trips.quotes.service import Quotes
from services.crm.trips.wiring import Travel, make_travel

SERVICE = "crm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """Everything that the CRM's faces (pages, worker, commands) use."""

    settings: CrmSettings
    clock: Clock
    database: Database
    outbox: Outbox
    sessions: ServerSessions
    directory: Directory
    sign_in: SignIn
    clients: Clients
    profiles: Profiles
    tasks: Tasks
    merges: Merges
    bookings: Bookings
    paying: Paying
    portal_access: PortalAccess
    travel: Travel
    signing: Signing
    quotes: Quotes
    reminders: Reminders
    reminder_log: ReminderLog
    reports: Reports
    commissions: Commissions
    office: Office
    panels: Panels


def bootstrap(
    settings: CrmSettings,
    *,
    clock: Clock | None = None,
    database: Database | None = None,
    passwords: Passwords | None = None,
    vault: VaultPort | None = None,
    letters: Letters | None = None,
    trail: TrailPort | None = None,
) -> Dependencies:
    """The CRM's parts, joined. What is not given is the real thing, by the settings."""
    clock = clock or SystemClock()
    database = database or open_database(settings.database_url, name=SERVICE, pool_size=settings.web_threads)
    outbox = Outbox(event_tables, producer=SERVICE, clock=clock)
    directory = Directory(database=database, outbox=outbox, clock=clock)
    clients = Clients(database=database, outbox=outbox, clock=clock, directory=directory)
    payments = PaymentBook(database, clock)
    bookings = Bookings(
        database=database,
        outbox=outbox,
        clock=clock,
        clients=clients,
        directory=directory,
        has_payments=lambda booking_id, segment_id: segment_id in payments.counted_by_segment(booking_id),
        terms=lambda house: self_service_terms(house.agency, house.agent, house.policy),
    )
    sign_in = SignIn(
        database=database,
        directory=directory,
        clock=clock,
        passwords=passwords or Passwords(),
        authenticators=AuthenticatorSecrets(settings.require_secret_key()),
    )
    letters = letters or CrmLetters(settings)
    paying = make_paying(
        database=database,
        outbox=outbox,
        clock=clock,
        bookings=bookings,
        clients=clients,
        directory=directory,
        vault=vault or open_vault(settings),
        letters=letters,
        portal_url=settings.portal_url,
    )
    portal_access = PortalAccess(
        database=database,
        outbox=outbox,
        clock=clock,
        clients=clients,
        directory=directory,
        letters=letters,
        portal_url=settings.portal_url,
    )
    return Dependencies(
        settings=settings,
        clock=clock,
        database=database,
        outbox=outbox,
        sessions=ServerSessions(database, session_tables, clock, service=SERVICE, https=settings.https),
        directory=directory,
        sign_in=sign_in,
        clients=clients,
        profiles=Profiles(database=database, clock=clock, clients=clients),
        tasks=Tasks(database=database, clock=clock, clients=clients),
        merges=Merges(
            database=database,
            clock=clock,
            clients=clients,
            references=CLIENT_REFERENCES,
            locks=(bookings.lock_of_clients, lock_of_clients),
            bookings_of=bookings.ids_of_client,
            tell_bookings=bookings.tell_anew,
        ),
        bookings=bookings,
        paying=paying,
        portal_access=portal_access,
        travel=make_travel(
            database=database,
            outbox=outbox,
            clock=clock,
            bookings=bookings,
            directory=directory,
            portal_access=portal_access,
        ),
        signing=make_signing(
            database=database,
            outbox=outbox,
            clock=clock,
            bookings=bookings,
            clients=clients,
            directory=directory,
            letters=letters,
            portal_url=settings.portal_url,
        ),
        quotes=Quotes(database=database, clock=clock, clients=clients, bookings=bookings, directory=directory),
        reminders=Reminders(
            database=database,
            outbox=outbox,
            clock=clock,
            bookings=bookings,
            directory=directory,
            payments=payments,
        ),
        reminder_log=ReminderLog(database=database, bookings=bookings),
        reports=Reports(database=database, clock=clock, directory=directory),
        commissions=Commissions(database=database, clock=clock, bookings=bookings),
        office=make_office(
            database=database,
            outbox=outbox,
            clock=clock,
            directory=directory,
            trail=trail or open_trail(settings),
        ),
        panels=Panels(),
    )
