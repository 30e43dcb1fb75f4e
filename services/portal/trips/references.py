"""How travelers follow when two clients are merged (C4). The CRM tells the bookings anew as well, somewhat later."""

from chassis.db.references import Reference, becoming_one
from services.portal.trips.models import TravelerRow

CLIENT_REFERENCES = (
    Reference(column=TravelerRow.client_id, follow=becoming_one(TravelerRow.client_id, TravelerRow.booking_id)),
)
