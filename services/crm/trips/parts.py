"""What the street of trips holds: bookings, requests for quotes, and what travelers get to read."""

from dataclasses import dataclass

from chassis.web.parts import held
from services.crm.trips.bookings.service import Bookings
from services.crm.trips.documents.service import Documents
from services.crm.trips.itinerary.service import Itineraries
from services.crm.trips.itinerary.sharing import ItineraryShares
from services.crm.trips.quotes.service import Quotes


@dataclass(frozen=True, slots=True, kw_only=True)
class Trips:
    """The street's use cases."""

    bookings: Bookings
    quotes: Quotes
    documents: Documents
    itineraries: Itineraries
    shares: ItineraryShares


def trips() -> Trips:
    """The use cases, in a page."""
    return held(Trips)
