"""How e-mails that did not arrive follow when two clients are merged (C4)."""

from chassis.db.references import Reference
from services.crm.office.mail_outcomes.models import FailureRow

CLIENT_REFERENCES = (Reference(column=FailureRow.client_id),)
