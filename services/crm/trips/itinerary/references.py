"""How shared itineraries follow when two clients are merged (C4)."""

from chassis.db.references import Reference
from services.crm.trips.itinerary.models import ItineraryShareRow

CLIENT_REFERENCES = (Reference(column=ItineraryShareRow.client_id, words="shared itineraries"),)
