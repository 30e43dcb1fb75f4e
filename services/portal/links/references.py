"""How links follow when two clients are merged (C4)."""

from chassis.db.references import Reference
from services.portal.links.models import LinkRow

CLIENT_REFERENCES = (Reference(column=LinkRow.client_id),)
