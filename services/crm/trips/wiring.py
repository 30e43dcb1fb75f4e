"""The composition of the street of trips: bookings, requests for quotes, documents and the itinerary."""

from chassis.bus import EventHandlers
from chassis.sealing import LetterSealer
from services.crm.access.parts import Access
from services.crm.core.parts import Core
from services.crm.sales.parts import Sales
from services.crm.trips.bookings import events as booking_events
from services.crm.trips.bookings.events import SelfServiceTerms
from services.crm.trips.bookings.service import Bookings, HasPayments
from services.crm.trips.documents.service import Documents
from services.crm.trips.itinerary.service import Itineraries
from services.crm.trips.itinerary.sharing import ItineraryShares
from services.crm.trips.parts import Trips
from services.crm.trips.quotes import events as quote_events
from services.crm.trips.quotes.service import Quotes, count_new


def make_trips(
    core: Core,
    access: Access,
    sales: Sales,
    *,
    letters: LetterSealer,
    has_payments: HasPayments,
    terms: SelfServiceTerms,
) -> Trips:
    """The rooms, joined. What they need to know of payments, the street of payments hands in."""
    core.waiting.add("quotes", count_new)
    bookings = Bookings(
        database=core.database,
        outbox=core.outbox,
        clock=core.clock,
        clients=sales.clients,
        directory=access.directory,
        has_payments=has_payments,
        terms=terms,
    )
    documents = Documents(
        database=core.database,
        outbox=core.outbox,
        clock=core.clock,
        bookings=bookings,
        who_signs_in=sales.portal_access.who_signs_in,
    )
    return Trips(
        bookings=bookings,
        quotes=Quotes(
            database=core.database,
            clock=core.clock,
            clients=sales.clients,
            bookings=bookings,
            directory=access.directory,
        ),
        documents=documents,
        itineraries=Itineraries(
            database=core.database, bookings=bookings, directory=access.directory, documents=documents
        ),
        shares=ItineraryShares(
            database=core.database,
            outbox=core.outbox,
            clock=core.clock,
            bookings=bookings,
            letters=letters,
            portal_url=core.settings.portal_url,
        ),
    )


def register_events(handlers: EventHandlers, trips: Trips) -> None:
    """What the rooms do on events of the portal, and of the CRM itself."""
    quote_events.register(handlers, trips.quotes)
    booking_events.register(handlers, trips.bookings.note_name)
