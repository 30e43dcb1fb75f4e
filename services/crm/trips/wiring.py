"""The composition of what travelers get of a booking: documents and the itinerary."""

from dataclasses import dataclass

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database
from services.crm.access.agency.service import Directory
from services.crm.sales.portal_access.service import PortalAccess
from services.crm.trips.bookings.service import Bookings
from services.crm.trips.documents.service import Documents
from services.crm.trips.itinerary.service import Itineraries


@dataclass(frozen=True, slots=True, kw_only=True)
class Travel:
    """The rooms' use cases."""

    documents: Documents
    itineraries: Itineraries


def make_travel(
    *,
    database: Database,
    outbox: Outbox,
    clock: Clock,
    bookings: Bookings,
    directory: Directory,
    portal_access: PortalAccess,
) -> Travel:
    """The rooms, joined."""
    return Travel(
        documents=Documents(
            database=database,
            outbox=outbox,
            clock=clock,
            bookings=bookings,
            who_signs_in=portal_access.who_signs_in,
        ),
        itineraries=Itineraries(database=database, bookings=bookings, directory=directory),
    )
