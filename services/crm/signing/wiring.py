"""The composition of the street of signing: documents and insurance offers."""

from collections.abc import Callable

from chassis.bus import EventHandlers
from chassis.lifecycle import Loop, every
from chassis.sealing import LetterSealer
from services.crm.access.parts import Access
from services.crm.core.parts import Core
from services.crm.sales.parts import Sales
from services.crm.signing.esign import events as esign_events
from services.crm.signing.esign.service import Library, RequestBook, SignRequests
from services.crm.signing.insurance import events as insurance_events
from services.crm.signing.insurance.service import InsuranceOffers
from services.crm.signing.parts import Signing
from services.crm.trips.parts import Trips

_EXPIRY_SECONDS = 30.0


def make_signing(
    core: Core,
    access: Access,
    sales: Sales,
    trips: Trips,
    *,
    letters: LetterSealer,
    card_authorized: Callable[[str], bool],
) -> Signing:
    """The rooms, joined. Which bookings have a signed card authorization, the street of payments says."""
    library = Library(database=core.database, clock=core.clock, directory=access.directory)
    requests = SignRequests(
        database=core.database,
        outbox=core.outbox,
        clock=core.clock,
        bookings=trips.bookings,
        clients=sales.clients,
        directory=access.directory,
        library=library,
        letters=letters,
        portal_url=core.settings.portal_url,
    )
    insurance = InsuranceOffers(
        database=core.database,
        outbox=core.outbox,
        clock=core.clock,
        bookings=trips.bookings,
        directory=access.directory,
        library=library,
        requests=requests,
        letters=letters,
        portal_url=core.settings.portal_url,
    )
    book = RequestBook(database=core.database, library=library, card_authorized=card_authorized)
    return Signing(library=library, requests=requests, book=book, insurance=insurance)


def register_events(handlers: EventHandlers) -> None:
    """What the rooms do on events of portal and notifier."""
    esign_events.register(handlers)
    insurance_events.register(handlers)


def timers(signing: Signing) -> list[tuple[str, Loop]]:
    """What the rooms do by the clock."""
    return [
        ("signature expiry", every(_EXPIRY_SECONDS, signing.requests.expire_due, "signature expiry")),
        ("insurance expiry", every(_EXPIRY_SECONDS, signing.insurance.expire_due, "insurance expiry")),
    ]
