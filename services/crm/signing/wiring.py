"""The composition of the rooms in which clients sign: what bootstrap makes of them, what the worker does for them."""

from dataclasses import dataclass

from chassis.bus import EventHandlers, Outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.lifecycle import Loop, every
from services.crm.access.agency.service import Directory
from services.crm.paying.links.service import Letters
from services.crm.sales.clients.service import Clients
from services.crm.signing.esign import events as esign_events
from services.crm.signing.esign.service import Library, RequestBook, SignRequests
from services.crm.signing.insurance import events as insurance_events
from services.crm.signing.insurance.service import InsuranceOffers
from services.crm.trips.bookings.service import Bookings

_EXPIRY_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """The use cases of the rooms in which clients sign."""

    library: Library
    requests: SignRequests
    book: RequestBook
    insurance: InsuranceOffers


def make_signing(
    *,
    database: Database,
    outbox: Outbox,
    clock: Clock,
    bookings: Bookings,
    clients: Clients,
    directory: Directory,
    letters: Letters,
    portal_url: str,
) -> Signing:
    """The rooms, joined."""
    library = Library(database=database, clock=clock, directory=directory)
    requests = SignRequests(
        database=database,
        outbox=outbox,
        clock=clock,
        bookings=bookings,
        clients=clients,
        directory=directory,
        library=library,
        letters=letters,
        portal_url=portal_url,
    )
    insurance = InsuranceOffers(
        database=database,
        outbox=outbox,
        clock=clock,
        bookings=bookings,
        directory=directory,
        library=library,
        requests=requests,
        letters=letters,
        portal_url=portal_url,
    )
    book = RequestBook(database=database, library=library)
    return Signing(library=library, requests=requests, book=book, insurance=insurance)


def register_events(handlers: EventHandlers) -> None:
    """What the rooms do on events of the portal; what became of their mails, the links room tells them."""
    esign_events.register(handlers)
    insurance_events.register(handlers)


def signing_timers(signing: Signing) -> list[tuple[str, Loop]]:
    """What the rooms do by the clock."""
    return [
        ("signature expiry", every(_EXPIRY_SECONDS, signing.requests.expire_due, "signature expiry")),
        ("insurance expiry", every(_EXPIRY_SECONDS, signing.insurance.expire_due, "insurance expiry")),
    ]
