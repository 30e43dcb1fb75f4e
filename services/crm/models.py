"""Every row class of the CRM, imported so that Base.metadata is complete (migrations, drift check, tests)."""

from services.crm.admin.models import AgencyLogoRow, AgencyRow, AgentRow
from services.crm.audit.models import ActivityRow
from services.crm.auth.models import CredentialRow, SignInAttemptRow
from services.crm.bookings.models import BookingRow, BookingWordRow, PassengerRow, SegmentRow
from services.crm.clients.models import ClientChangeRow, ClientRow, ClientWordRow, FamilyMemberRow, OccasionRow
from services.crm.custody.models import CardRemovalRow
from services.crm.cvv_requests.models import CvvRequestRow
from services.crm.documents.models import BookingDocumentRow, DocumentReaderRow
from services.crm.esign.models import (
    FeeRestrictionRow,
    SignedPaperRow,
    SignRequestRow,
    TemplateRow,
    TemplateVersionRow,
)
from services.crm.insurance.models import InsuranceAnswerRow, InsuranceOfferRow
from services.crm.links.models import PaymentLinkRow
from services.crm.merging.models import ClientMergeRow
from services.crm.orm import Base, event_tables, session_tables
from services.crm.payments.models import PaymentRow, SignedDocumentRow
from services.crm.portal_access.models import PortalAccessRow
from services.crm.quotes.models import QuoteRow, RegistrationRow
from services.crm.reminders.models import ReminderLogRow, ReminderRuleRow, ReminderSwitchRow
from services.crm.reports.models import CommissionReceiptRow
from services.crm.retrieval.models import ChallengeRow
from services.crm.second_reveals.models import SecondRevealRow
from services.crm.support.models import TicketMessageRow, TicketRow
from services.crm.tasks.models import TaskRow
from services.crm.undelivered.models import FailureRow

__all__ = [
    "ActivityRow",
    "AgencyLogoRow",
    "AgencyRow",
    "AgentRow",
    "Base",
    "BookingDocumentRow",
    "BookingRow",
    "BookingWordRow",
    "CardRemovalRow",
    "ChallengeRow",
    "ClientChangeRow",
    "ClientMergeRow",
    "ClientRow",
    "ClientWordRow",
    "CommissionReceiptRow",
    "CredentialRow",
    "CvvRequestRow",
    "DocumentReaderRow",
    "FailureRow",
    "FamilyMemberRow",
    "FeeRestrictionRow",
    "InsuranceAnswerRow",
    "InsuranceOfferRow",
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
    "SignRequestRow",
    "SignedDocumentRow",
    "SignedPaperRow",
    "TaskRow",
    "TemplateRow",
    "TemplateVersionRow",
    "TicketMessageRow",
    "TicketRow",
    "event_tables",
    "session_tables",
]
