"""Every row class of the CRM, imported so that Base.metadata is complete (migrations, drift check, tests)."""

from services.crm.admin.models import AgencyRow, AgentRow
from services.crm.auth.models import CredentialRow, SignInAttemptRow
from services.crm.bookings.models import BookingRow, PassengerRow, SegmentRow
from services.crm.clients.models import ClientRow
from services.crm.orm import Base, event_tables, session_tables

__all__ = [
    "AgencyRow",
    "AgentRow",
    "Base",
    "BookingRow",
    "ClientRow",
    "CredentialRow",
    "PassengerRow",
    "SegmentRow",
    "SignInAttemptRow",
    "event_tables",
    "session_tables",
]
