"""How payments follow when two clients are merged (C4). What was signed keeps the names of its day."""

from chassis.db.references import Reference
from services.portal.payments.models import PaymentRow

CLIENT_REFERENCES = (Reference(column=PaymentRow.client_id),)
