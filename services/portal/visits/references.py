"""How visits follow when two clients are merged (C4)."""

from chassis.db.references import Reference
from services.portal.visits.models import VisitRow

CLIENT_REFERENCES = (Reference(column=VisitRow.client_id),)
