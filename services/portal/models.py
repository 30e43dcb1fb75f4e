"""Every row class of the portal, imported so that Base.metadata is complete (migrations, drift check, tests)."""

from services.portal.account.models import AccountRow, ResetRequestRow, SignInAttemptRow
from services.portal.agencies.models import AgencyLogoRow, AgencyRow
from services.portal.agents.models import AgentRow, FormerNameRow
from services.portal.cvv.models import CvvLinkRow
from services.portal.documents.models import DocumentReaderRow, TripDocumentRow
from services.portal.esign.models import PrintJobRow, SignedDocumentRow, SignRequestRow, SignTokenRow
from services.portal.itineraries.models import ItineraryLinkRow
from services.portal.links.models import EvidenceRow, LinkRow, LinkTokenRow
from services.portal.merges.models import merged_clients
from services.portal.news import PAGE_NEWS
from services.portal.orm import Base, account_session_tables, event_tables, session_tables
from services.portal.payments.models import IntakeRow, PaymentRow
from services.portal.profile.models import ProfileRow
from services.portal.quotes.models import QuoteRow
from services.portal.registrations.models import RegistrationRow
from services.portal.standing_orders.models import StandingOrderRow
from services.portal.throttle.models import ThrottleRow
from services.portal.trips.models import TravelerRow, TripRow
from services.portal.visits.models import VisitPartRow, VisitRow, VisitTokenRow

__all__ = [
    "PAGE_NEWS",
    "AccountRow",
    "AgencyLogoRow",
    "AgencyRow",
    "AgentRow",
    "Base",
    "CvvLinkRow",
    "DocumentReaderRow",
    "EvidenceRow",
    "FormerNameRow",
    "IntakeRow",
    "ItineraryLinkRow",
    "LinkRow",
    "LinkTokenRow",
    "PaymentRow",
    "PrintJobRow",
    "ProfileRow",
    "QuoteRow",
    "RegistrationRow",
    "ResetRequestRow",
    "SignInAttemptRow",
    "SignRequestRow",
    "SignTokenRow",
    "SignedDocumentRow",
    "StandingOrderRow",
    "ThrottleRow",
    "TravelerRow",
    "TripDocumentRow",
    "TripRow",
    "VisitPartRow",
    "VisitRow",
    "VisitTokenRow",
    "account_session_tables",
    "event_tables",
    "merged_clients",
    "session_tables",
]
