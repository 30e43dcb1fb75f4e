"""Every row class of the portal, imported so that Base.metadata is complete (migrations, drift check, tests)."""

from services.portal.esign.models import SignedDocumentRow
from services.portal.links.models import EvidenceRow, LinkRow, LinkTokenRow
from services.portal.orm import Base, event_tables, session_tables
from services.portal.payments.models import IntakeRow, PaymentRow

__all__ = [
    "Base",
    "EvidenceRow",
    "IntakeRow",
    "LinkRow",
    "LinkTokenRow",
    "PaymentRow",
    "SignedDocumentRow",
    "event_tables",
    "session_tables",
]
