"""The portal's composition root: the one place where its parts are made and joined.

Tests call `bootstrap` with fakes for what they don't want to be real; nothing is built at import.
"""

from dataclasses import dataclass
from datetime import timedelta

from chassis.bus import EventHandlers, Outbox
from chassis.clock import Clock, SystemClock
from chassis.db import DATABASE_PATIENCE, Database, open_database
from chassis.rpc import TlsFiles, open_channel
from chassis.sealing import LetterSealer, LetterWriter
from chassis.web.passwords import Passwords
from chassis.web.sessions import ServerSessions
from services.portal.access import LinkAccess
from services.portal.account import events as account_events
from services.portal.account.service import Accounts
from services.portal.agencies import events as agency_events
from services.portal.agencies.service import Agencies
from services.portal.agents import events as agent_events
from services.portal.agents.service import Agents
from services.portal.client_references import CLIENT_REFERENCES
from services.portal.config import PortalSettings
from services.portal.cvv import events as cvv_events
from services.portal.cvv.intake import CvvIntakePort, GrpcCvvIntake
from services.portal.cvv.service import CvvLinks
from services.portal.documents import events as document_events
from services.portal.documents.service import TripDocuments
from services.portal.esign import events as esign_events
from services.portal.esign.record import document_genre
from services.portal.esign.service import Documents, Printing, RequestKind, SignaturesOnFile, SignRequests
from services.portal.insurance import events as insurance_events
from services.portal.insurance.service import insurance_genre
from services.portal.links import events as link_events
from services.portal.links.service import Links
from services.portal.merges import events as merge_events
from services.portal.models import account_session_tables, event_tables, session_tables
from services.portal.payments import events as payment_events
from services.portal.payments.intake import CardIntakePort, GrpcCardIntake
from services.portal.payments.service import Payments
from services.portal.profile import events as profile_events
from services.portal.profile.service import Profiles
from services.portal.quotes.service import Quotes
from services.portal.throttle.service import Throttle
from services.portal.trips import events as trip_events
from services.portal.trips.adding import OwnPayments
from services.portal.trips.reporting import OwnReports
from services.portal.trips.service import Trips
from services.portal.verify.service import Verification

SERVICE = "portal"
# docs/security.md, 8.2.8. An opened payment link may lie longer (settings.session_idle): it holds less.
_CLIENT_IDLE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """Everything that the portal's faces (pages, worker, commands) use."""

    settings: PortalSettings
    clock: Clock
    database: Database
    sessions: ServerSessions
    access: LinkAccess
    links: Links
    documents: Documents
    printing: Printing
    on_file: SignaturesOnFile
    sign_requests: SignRequests
    verification: Verification
    payments: Payments
    cvv: CvvLinks
    agents: Agents
    agencies: Agencies
    accounts: Accounts
    profiles: Profiles
    quotes: Quotes
    throttle: Throttle
    trips: Trips
    own_payments: OwnPayments
    own_reports: OwnReports
    trip_documents: TripDocuments
    handlers: EventHandlers


def bootstrap(
    settings: PortalSettings,
    *,
    clock: Clock | None = None,
    database: Database | None = None,
    intake: CardIntakePort | None = None,
    cvv_intake: CvvIntakePort | None = None,
    letters: LetterSealer | None = None,
    passwords: Passwords | None = None,
) -> Dependencies:
    """The portal's parts, joined. What is not given is the real thing, by the settings.

    Raises SealError when a letter key is missing.
    """
    clock = clock or SystemClock()
    database = database or open_database(
        settings.database_url, name=SERVICE, pool_size=settings.web_threads, patience=DATABASE_PATIENCE
    )
    outbox = Outbox(event_tables, producer=SERVICE, clock=clock)
    https = settings.public_url.startswith("https://")
    sessions = ServerSessions(database, session_tables, clock, service=SERVICE, https=https, idle=settings.session_idle)
    letters = letters or LetterWriter(settings.letter_signing_key, SERVICE, settings.notifier_letter_key)
    agents = Agents(database=database)
    throttle = Throttle(database=database, clock=clock)
    accounts = Accounts(
        database=database,
        outbox=outbox,
        clock=clock,
        agents=agents,
        throttle=throttle,
        passwords=passwords or Passwords(),
        letters=letters,
        sessions=ServerSessions(
            database, account_session_tables, clock, service="portal_account", https=https, idle=_CLIENT_IDLE
        ),
        public_url=settings.public_url,
    )
    profiles = Profiles(database=database, outbox=outbox, clock=clock)
    links = Links(database=database, outbox=outbox, clock=clock)
    printing = Printing(database=database, outbox=outbox, clock=clock)
    documents = Documents(database=database, printing=printing, public_url=settings.public_url)
    sign_requests = SignRequests(
        database=database,
        outbox=outbox,
        clock=clock,
        documents=documents,
        printing=printing,
        links=links,
        genres={RequestKind.DOCUMENT: document_genre(letters), RequestKind.INSURANCE: insurance_genre()},
        public_url=settings.public_url,
    )
    payments = Payments(
        database=database,
        outbox=outbox,
        clock=clock,
        links=links,
        documents=documents,
        printing=printing,
        intake=intake or _intake(settings),
        letters=letters,
        public_url=settings.public_url,
    )
    trips = Trips(database=database, clock=clock, agents=agents, payments=payments)
    own_payments = OwnPayments(links=links, agents=agents, trips=trips)
    trip_documents = TripDocuments(database=database)
    cvv = CvvLinks(database=database, outbox=outbox, clock=clock, intake=cvv_intake or _cvv_intake(settings))
    handlers = EventHandlers()
    link_events.subscribe(handlers, links)
    payment_events.subscribe(handlers)
    cvv_events.subscribe(handlers, cvv)
    esign_events.subscribe(handlers, sign_requests)
    insurance_events.subscribe(handlers, sign_requests)
    trip_events.subscribe(handlers, trips)
    document_events.subscribe(handlers, trip_documents)
    merge_events.subscribe(handlers, CLIENT_REFERENCES, profiles.learn)
    agent_events.subscribe(handlers, agents)
    agencies = Agencies(database=database)
    agency_events.subscribe(handlers, agencies)
    account_events.subscribe(handlers, accounts)
    profile_events.subscribe(handlers, profiles=profiles, accounts=accounts, agents=agents)
    return Dependencies(
        settings=settings,
        clock=clock,
        database=database,
        sessions=sessions,
        access=LinkAccess(sessions),
        links=links,
        documents=documents,
        printing=printing,
        on_file=SignaturesOnFile(database=database),
        sign_requests=sign_requests,
        verification=Verification(documents=documents),
        payments=payments,
        cvv=cvv,
        agents=agents,
        agencies=agencies,
        accounts=accounts,
        profiles=profiles,
        quotes=Quotes(database=database, outbox=outbox, clock=clock),
        throttle=throttle,
        trips=trips,
        own_payments=own_payments,
        own_reports=OwnReports(payments=payments, own=own_payments),
        trip_documents=trip_documents,
        handlers=handlers,
    )


def tls_files(settings: PortalSettings) -> TlsFiles:
    """The portal's certificate and the authority that it trusts."""
    return TlsFiles(ca=settings.tls_ca, cert=settings.tls_cert, key=settings.tls_key)


def _intake(settings: PortalSettings) -> GrpcCardIntake:
    return GrpcCardIntake(open_channel(settings.vault_address, tls_files(settings), settings.vault_server_name))


def _cvv_intake(settings: PortalSettings) -> GrpcCvvIntake:
    return GrpcCvvIntake(open_channel(settings.vault_address, tls_files(settings), settings.vault_server_name))
