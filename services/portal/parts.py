"""What the portal is made of, typed, and how its pages reach it. Imports services, never pages."""

from dataclasses import dataclass

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.web.parts import held
from chassis.web.sessions import ServerSessions
from services.portal.access import LinkAccess
from services.portal.account.service import Accounts
from services.portal.agencies.service import Agencies
from services.portal.agents.service import Agents
from services.portal.config import PortalSettings
from services.portal.cvv.service import CvvLinks
from services.portal.documents.service import TripDocuments
from services.portal.esign.service import Documents, Printing, SignaturesOnFile, SignRequests
from services.portal.itineraries.service import Itineraries
from services.portal.links.service import Links
from services.portal.payments.service import Payments
from services.portal.profile.service import Profiles
from services.portal.quotes.service import Quotes
from services.portal.registrations.service import Registrations
from services.portal.standing_orders.service import StandingOrders
from services.portal.throttle.service import Throttle
from services.portal.trips.adding import OwnPayments
from services.portal.trips.reporting import OwnReports
from services.portal.trips.service import Trips
from services.portal.verify.service import Verification
from services.portal.visits.service import Visits


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """What every room stands on. `sessions`: of the browsers that opened links."""

    settings: PortalSettings
    clock: Clock
    database: Database
    outbox: Outbox
    sessions: ServerSessions


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """Everything that the portal's faces (pages, worker, commands) use."""

    core: Core
    access: LinkAccess
    links: Links
    documents: Documents
    printing: Printing
    on_file: SignaturesOnFile
    sign_requests: SignRequests
    visits: Visits
    verification: Verification
    payments: Payments
    cvv: CvvLinks
    agents: Agents
    agencies: Agencies
    accounts: Accounts
    profiles: Profiles
    quotes: Quotes
    registrations: Registrations
    throttle: Throttle
    trips: Trips
    own_payments: OwnPayments
    own_reports: OwnReports
    trip_documents: TripDocuments
    itineraries: Itineraries
    standing_orders: StandingOrders


def portal() -> Dependencies:
    """The use cases, in a page."""
    return held(Dependencies)
