"""The CRM's composition root: the one place where its parts are made and joined.

Tests call `bootstrap` with fakes for what they don't want to be real. Each street makes its own parts in `wiring.py`
and holds them in `parts.py`; a street is given those before it, and what it needs of a later one as a function.
Nothing is built at import.
"""

from collections.abc import Collection

from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock, SystemClock
from chassis.db import DATABASE_PATIENCE, Database, open_database
from chassis.sealing import LetterSealer
from chassis.web.passwords import Passwords
from chassis.web.sessions import ServerSessions
from services.crm.access.wiring import make_access
from services.crm.client_references import CLIENT_REFERENCES
from services.crm.config import CrmSettings
from services.crm.core.letters import CrmLetters
from services.crm.core.parts import Core
from services.crm.core.ports.charging import ChargingPort
from services.crm.core.ports.vault import VaultPort
from services.crm.core.waiting import Waiting
from services.crm.models import event_tables, session_tables
from services.crm.office.audit.service import TrailPort
from services.crm.office.wiring import make_office, open_trail
from services.crm.parts import Dependencies
from services.crm.paying.links.terms import self_service_terms
from services.crm.paying.payments.service import PaymentBook, payments_on_segment
from services.crm.paying.payments.service import lock_of_clients as payments_of_clients
from services.crm.paying.phone.masker import MaskerPort
from services.crm.paying.wiring import make_paying, open_charging, open_masker, open_vault
from services.crm.sales.merging.service import Followers
from services.crm.sales.wiring import make_sales
from services.crm.signatures import PhoneSignatures
from services.crm.signing.wiring import make_signing
from services.crm.trips.bookings.service import ids_of_client
from services.crm.trips.bookings.service import lock_of_clients as bookings_of_clients
from services.crm.trips.wiring import make_trips

SERVICE = "crm"


def bootstrap(
    settings: CrmSettings,
    *,
    clock: Clock | None = None,
    database: Database | None = None,
    passwords: Passwords | None = None,
    vault: VaultPort | None = None,
    charging: ChargingPort | None = None,
    letters: LetterSealer | None = None,
    trail: TrailPort | None = None,
    masker: MaskerPort | None = None,
) -> Dependencies:
    """The CRM's parts, joined. What is not given is the real thing, by the settings."""
    core = _core(settings, clock or SystemClock(), database)
    letters = letters or CrmLetters(settings)
    signatures = PhoneSignatures(lambda: signing)
    vault = vault or open_vault(settings)
    charging = charging or open_charging(settings)
    access = make_access(core, passwords or Passwords(), register=vault, letters=letters)

    def tell_bookings(session: Session, booking_ids: Collection[str]) -> None:
        trips.bookings.tell_anew(session, booking_ids)  # at a merge, when the street of trips is long there

    book = PaymentBook(core.database, core.clock)
    sales = make_sales(
        core,
        access,
        letters,
        references=CLIENT_REFERENCES,
        followers=Followers(
            locks=(bookings_of_clients, payments_of_clients), bookings_of=ids_of_client, tell_bookings=tell_bookings
        ),
    )
    trips = make_trips(
        core,
        access,
        sales,
        letters=letters,
        has_payments=payments_on_segment,
        terms=lambda house: self_service_terms(house.agency, house.agent, house.policy),
    )
    signing = make_signing(core, access, sales, trips, letters=letters, card_authorized=book.is_authorized)
    paying = make_paying(
        core,
        access,
        sales,
        trips,
        book=book,
        vault=vault,
        charging=charging,
        letters=letters,
        masker=masker or open_masker(settings),
        signatures=signatures,
    )
    return Dependencies(
        core=core,
        access=access,
        sales=sales,
        trips=trips,
        paying=paying,
        signing=signing,
        office=make_office(
            core,
            access,
            sales,
            trips,
            paying=paying,
            signing=signing,
            letters=letters,
            trail=trail or open_trail(settings),
        ),
    )


def _core(settings: CrmSettings, clock: Clock, database: Database | None) -> Core:
    database = database or open_database(
        settings.database_url, name=SERVICE, pool_size=settings.web_threads, patience=DATABASE_PATIENCE
    )
    return Core(
        settings=settings,
        clock=clock,
        database=database,
        outbox=Outbox(event_tables, producer=SERVICE, clock=clock),
        sessions=ServerSessions(database, session_tables, clock, service=SERVICE, https=settings.https),
        waiting=Waiting(database),
    )
