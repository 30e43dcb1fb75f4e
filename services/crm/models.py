"""Every row class of the CRM, imported so that Base.metadata is complete (migrations, drift check, tests)."""

from services.crm.access.activity.models import ActivityRow
from services.crm.access.agency.models import AgencyLogoRow, AgencyRow, AgentRow
from services.crm.access.auth.models import CredentialRow, SignInAttemptRow
from services.crm.access.public_pages.models import PageNameRow, PublicPageRow
from services.crm.access.saved_views.models import SavedViewRow
from services.crm.core.news import news_table
from services.crm.office.calendar.models import CalendarFeedRow
from services.crm.office.first_steps.models import FirstStepRow
from services.crm.office.handouts.models import HandoutRow
from services.crm.office.mail_outcomes.models import FailureRow, PaymentMailRow
from services.crm.office.reports.models import CommissionReceiptRow
from services.crm.office.support.models import TicketMessageRow, TicketRow
from services.crm.office.visits.models import VisitRow
from services.crm.orm import Base, event_tables, session_tables
from services.crm.paying.card_removal.models import CardRemovalRow
from services.crm.paying.charging.models import PaymentChargeRow, PaymentRefundRow, RefundRequestRow
from services.crm.paying.cvv_requests.models import CvvRequestRow
from services.crm.paying.links.models import PaymentLinkRow
from services.crm.paying.payments.models import PaymentRow, SignedDocumentRow
from services.crm.paying.phone.models import PhoneCallRow, PhoneDeskRow, PhoneFlowRow
from services.crm.paying.recording.models import PaymentActRow
from services.crm.paying.reminders.models import ReminderLogRow, ReminderRuleRow, ReminderSwitchRow
from services.crm.paying.reveal.models import ChallengeRow
from services.crm.paying.second_reveals.models import SecondRevealRow
from services.crm.paying.standing_orders.models import OldMandateRow, StandingOrderRow, StandingPaymentRow
from services.crm.sales.clients.models import ClientChangeRow, ClientRow, ClientWordRow, FamilyMemberRow, OccasionRow
from services.crm.sales.groups.models import ClientGroupMemberRow, ClientGroupRow
from services.crm.sales.importing.models import ClientImportItemRow, ClientImportPairRow, ClientImportRow
from services.crm.sales.merging.models import ClientMergeRow
from services.crm.sales.portal_access.models import PortalAccessRow
from services.crm.sales.suppliers.models import SupplierRow
from services.crm.sales.tasks.models import TaskRow
from services.crm.signing.esign.models import (
    FeeRestrictionRow,
    SignRequestRow,
    TemplateRow,
    TemplateVersionRow,
)
from services.crm.signing.insurance.models import InsuranceAnswerRow, InsuranceOfferRow
from services.crm.trips.bookings.models import BookingRow, BookingWordRow, InstalmentRow, PassengerRow, SegmentRow
from services.crm.trips.documents.models import BookingDocumentRow, DocumentReaderRow
from services.crm.trips.itinerary.models import ItineraryShareRow
from services.crm.trips.quotes.models import QuoteRow, RegistrationRow

__all__ = [
    "ActivityRow",
    "AgencyLogoRow",
    "AgencyRow",
    "AgentRow",
    "Base",
    "BookingDocumentRow",
    "BookingRow",
    "BookingWordRow",
    "CalendarFeedRow",
    "CardRemovalRow",
    "ChallengeRow",
    "ClientChangeRow",
    "ClientGroupMemberRow",
    "ClientGroupRow",
    "ClientImportItemRow",
    "ClientImportPairRow",
    "ClientImportRow",
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
    "FirstStepRow",
    "HandoutRow",
    "InstalmentRow",
    "InsuranceAnswerRow",
    "InsuranceOfferRow",
    "ItineraryShareRow",
    "OccasionRow",
    "OldMandateRow",
    "PageNameRow",
    "PassengerRow",
    "PaymentActRow",
    "PaymentChargeRow",
    "PaymentLinkRow",
    "PaymentMailRow",
    "PaymentRefundRow",
    "PaymentRow",
    "PhoneCallRow",
    "PhoneDeskRow",
    "PhoneFlowRow",
    "PortalAccessRow",
    "PublicPageRow",
    "QuoteRow",
    "RefundRequestRow",
    "RegistrationRow",
    "ReminderLogRow",
    "ReminderRuleRow",
    "ReminderSwitchRow",
    "SavedViewRow",
    "SecondRevealRow",
    "SegmentRow",
    "SignInAttemptRow",
    "SignRequestRow",
    "SignedDocumentRow",
    "StandingOrderRow",
    "StandingPaymentRow",
    "SupplierRow",
    "TaskRow",
    "TemplateRow",
    "TemplateVersionRow",
    "TicketMessageRow",
    "TicketRow",
    "VisitRow",
    "event_tables",
    "news_table",
    "session_tables",
]
