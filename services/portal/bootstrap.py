"""The portal's composition root: the one place where its parts are made and joined.

Tests call `bootstrap` with fakes for what they don't want to be real. Nothing is built at import.
"""

from datetime import timedelta

from chassis.bus import Outbox
from chassis.clock import Clock, SystemClock
from chassis.db import DATABASE_PATIENCE, Database, open_database
from chassis.rpc import open_channel
from chassis.sealing import LetterSealer, LetterWriter
from chassis.web.passwords import Passwords
from chassis.web.sessions import ServerSessions
from services.portal.access import LinkAccess
from services.portal.account.service import Accounts
from services.portal.agencies.service import Agencies
from services.portal.agents.service import Agents
from services.portal.config import PortalSettings
from services.portal.cvv.intake import CvvIntakePort
from services.portal.cvv.service import CvvLinks
from services.portal.documents.service import TripDocuments
from services.portal.esign.record import document_genre
from services.portal.esign.service import Documents, Printing, RequestKind, SignaturesOnFile, SignRequests
from services.portal.insurance.service import insurance_genre
from services.portal.itineraries.service import Itineraries
from services.portal.links.service import Links
from services.portal.models import account_session_tables, event_tables, session_tables
from services.portal.parts import Core, Dependencies
from services.portal.payments.intake import CardIntakePort
from services.portal.payments.service import Payments
from services.portal.profile.service import Profiles
from services.portal.quotes.service import Quotes
from services.portal.registrations.service import Registrations
from services.portal.standing_orders.service import StandingOrders
from services.portal.throttle.service import Throttle
from services.portal.trips.adding import OwnPayments
from services.portal.trips.reporting import OwnReports
from services.portal.trips.service import Trips
from services.portal.vault import VaultIntake
from services.portal.verify.service import Verification
from services.portal.visits.service import Visits, note_answer

SERVICE = "portal"
# docs/security.md, 8.2.8. An opened payment link may lie longer (settings.session_idle): it holds less.
_CLIENT_IDLE = timedelta(minutes=15)


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
    core = _core(settings, clock or SystemClock(), database)
    database, outbox, clock, public_url = core.database, core.outbox, core.clock, settings.public_url
    letters = letters or LetterWriter(settings.letter_signing_key, SERVICE, settings.notifier_letter_key)
    agents, throttle = Agents(database=database, outbox=outbox), Throttle(database=database, clock=clock)
    links = Links(database=database, outbox=outbox, clock=clock)
    printing = Printing(database=database, outbox=outbox, clock=clock)
    documents = Documents(database=database, printing=printing, public_url=public_url)
    payments = Payments(
        database=database,
        outbox=outbox,
        clock=clock,
        links=links,
        documents=documents,
        printing=printing,
        intake=intake or _vault(settings),
        letters=letters,
        answered=note_answer,
        public_url=public_url,
    )
    sign_requests = _sign_requests(core, links=links, documents=documents, printing=printing, letters=letters)
    trips = Trips(database=database, clock=clock, agents=agents, payments=payments)
    trip_documents = TripDocuments(database=database)
    accounts = _accounts(core, agents=agents, throttle=throttle, letters=letters, passwords=passwords or Passwords())
    own_payments = OwnPayments(links=links, agents=agents, trips=trips)
    return Dependencies(
        core=core,
        access=LinkAccess(core.sessions),
        links=links,
        documents=documents,
        printing=printing,
        on_file=SignaturesOnFile(database=database),
        sign_requests=sign_requests,
        visits=Visits(
            database=database,
            outbox=outbox,
            clock=clock,
            links=links,
            requests=sign_requests,
            documents=documents,
            letters=letters,
            public_url=public_url,
        ),
        verification=Verification(documents=documents),
        payments=payments,
        cvv=CvvLinks(database=database, outbox=outbox, clock=clock, intake=cvv_intake or _vault(settings)),
        agents=agents,
        agencies=Agencies(database=database),
        accounts=accounts,
        profiles=Profiles(database=database, outbox=outbox, clock=clock),
        quotes=Quotes(database=database, outbox=outbox, clock=clock),
        registrations=Registrations(
            database=database,
            outbox=outbox,
            clock=clock,
            agents=agents,
            accounts=accounts,
            letters=letters,
            public_url=public_url,
        ),
        throttle=throttle,
        trips=trips,
        own_payments=own_payments,
        own_reports=OwnReports(payments=payments, own=own_payments),
        trip_documents=trip_documents,
        standing_orders=StandingOrders(database=database, outbox=outbox, clock=clock),
        itineraries=Itineraries(database=database, clock=clock, agents=agents, trips=trips, documents=trip_documents),
    )


def _core(settings: PortalSettings, clock: Clock, database: Database | None) -> Core:
    database = database or open_database(
        settings.database_url, name=SERVICE, pool_size=settings.web_threads, patience=DATABASE_PATIENCE
    )
    return Core(
        settings=settings,
        clock=clock,
        database=database,
        outbox=Outbox(event_tables, producer=SERVICE, clock=clock),
        sessions=ServerSessions(
            database, session_tables, clock, service=SERVICE, https=settings.https, idle=settings.session_idle
        ),
    )


def _accounts(
    core: Core, *, agents: Agents, throttle: Throttle, letters: LetterSealer, passwords: Passwords
) -> Accounts:
    sessions = ServerSessions(
        core.database,
        account_session_tables,
        core.clock,
        service="portal_account",
        https=core.settings.https,
        idle=_CLIENT_IDLE,
    )
    return Accounts(
        database=core.database,
        outbox=core.outbox,
        clock=core.clock,
        agents=agents,
        throttle=throttle,
        passwords=passwords,
        letters=letters,
        sessions=sessions,
        public_url=core.settings.public_url,
    )


def _sign_requests(
    core: Core, *, links: Links, documents: Documents, printing: Printing, letters: LetterSealer
) -> SignRequests:
    return SignRequests(
        database=core.database,
        outbox=core.outbox,
        clock=core.clock,
        documents=documents,
        printing=printing,
        links=links,
        answered=note_answer,
        genres={RequestKind.DOCUMENT: document_genre(letters), RequestKind.INSURANCE: insurance_genre()},
        public_url=core.settings.public_url,
    )


def _vault(settings: PortalSettings) -> VaultIntake:
    return VaultIntake(open_channel(settings.vault_address, settings.tls, settings.vault_server_name))
