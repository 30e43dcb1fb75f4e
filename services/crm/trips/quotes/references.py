"""How quote requests and registrations follow when two clients are merged (C4)."""

from chassis.db.references import Reference
from services.crm.trips.quotes.models import QuoteRow, RegistrationRow

CLIENT_REFERENCES = (
    Reference(column=QuoteRow.client_id, words="quote requests"),
    Reference(column=RegistrationRow.client_id),
)
