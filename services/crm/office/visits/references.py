"""How visits follow when two clients are merged (C4)."""

from chassis.db.references import Reference
from services.crm.office.visits.models import VisitRow

CLIENT_REFERENCES = (Reference(column=VisitRow.client_id, words="requests for several things at once"),)
