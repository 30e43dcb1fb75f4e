"""How standing orders follow when two clients are merged (C4)."""

from chassis.db.references import Reference
from services.portal.standing_orders.models import StandingOrderRow

CLIENT_REFERENCES = (Reference(column=StandingOrderRow.client_id),)
