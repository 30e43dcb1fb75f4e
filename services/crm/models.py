"""Every row class of the CRM, imported so that Base.metadata is complete (migrations, drift check, tests)."""

from services.crm.admin.models import AgencyRow, AgentRow
from services.crm.auth.models import CredentialRow, SignInAttemptRow
from services.crm.bookings.models import BookingRow, BookingWordRow, PassengerRow, SegmentRow
from services.crm.clients.models import ClientChangeRow, ClientRow, ClientWordRow, FamilyMemberRow, OccasionRow
from services.crm.custody.models import CardRemovalRow
from services.crm.cvv_requests.models import CvvRequestRow
from services.crm.links.models import PaymentLinkRow
from services.crm.merging.models import ClientMergeRow
from services.crm.orm import Base, event_tables, session_tables
from services.crm.payments.models import PaymentRow, SignedDocumentRow
from services.crm.portal_access.models import PortalAccessRow
from services.crm.quotes.models import QuoteRow, RegistrationRow
from services.crm.reminders.models import ReminderLogRow, ReminderRuleRow, ReminderSwitchRow
from services.crm.retrieval.models import ChallengeRow
from services.crm.second_reveals.models import SecondRevealRow
from services.crm.tasks.models import TaskRow

__all__ = [
    "AgencyRow",
    "AgentRow",
    "Base",
    "BookingRow",
    "BookingWordRow",
    "CardRemovalRow",
    "ChallengeRow",
    "ClientChangeRow",
    "ClientMergeRow",
    "ClientRow",
    "ClientWordRow",
    "CredentialRow",
    "CvvRequestRow",
    "FamilyMemberRow",
    "OccasionRow",
    "PassengerRow",
    "PaymentLinkRow",
    "PaymentRow",
    "PortalAccessRow",
    "QuoteRow",
    "RegistrationRow",
    "ReminderLogRow",
    "ReminderRuleRow",
    "ReminderSwitchRow",
    "SecondRevealRow",
    "SegmentRow",
    "SignInAttemptRow",
    "SignedDocumentRow",
    "TaskRow",
    "event_tables",
    "session_tables",
]
