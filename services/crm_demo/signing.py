"""The demo's documents: some that wait for a signature, one signed on paper, an insurance offer, states with rules."""

from datetime import timedelta
from typing import Final

from chassis.errors import InvalidArgument
from chassis.money import Money
from services.crm.core.actor import Actor
from services.crm.office.visits.service import VisitRequest
from services.crm.parts import Dependencies
from services.crm.signing.esign.rules import DocumentKind
from services.crm.signing.esign.service import RequestFilter, SendRequest, Template, TemplateData
from services.crm.signing.insurance.service import OfferRequest
from services.crm.trips.bookings.service import BookingDetail, BookingFilter, BookingStatus

# The walk-through's own trip stays as it is: the guides send its documents themselves.
_LEFT_ALONE: Final = "Norwegian fjords for the Whitcombes"
_STATES: Final = dict.fromkeys(("CA", "FL", "WA"), "A seller-of-travel registration is needed there. Ask Ada first.")
_PLAN: Final = "Voyager Care Plus, underwritten by Northlight Mutual"
_TITLE: Final = "Passport and visa checklist"
_BODY: Final = """\
PASSPORTS AND VISAS

{ClientName} confirms to {AgencyName} for the trip “{TripTitle}”:

1. Every traveler's passport is valid for at least six months after {EndTravelDate} and has two empty pages.
2. The names on the bookings are those in the passports: {Passengers}.
3. Visas and vaccinations that the journey needs are, or will be in time, in order.

Questions go to {AgentName}, {AgentEmail}.

Date: {Today}"""


def add_restrictions(deps: Dependencies, admin: Actor) -> None:
    """The states that restrict service fees, unless the admin keeps a list already."""
    if not deps.signing.library.restrictions(admin.agency_id):
        deps.signing.library.set_restrictions(admin, _STATES)


def add_signing(deps: Dependencies, actor: Actor) -> None:
    """Gives an agent documents on their way, unless they have some. Letters need the CRM's key: without it, nothing."""
    nothing_yet = deps.signing.book.list_page(actor, RequestFilter(), 1).total == 0
    if not nothing_yet or not deps.core.settings.letter_signing_key.is_file():
        return
    trips = _trips(deps, actor)
    own = deps.signing.library.create(actor, TemplateData(title=_TITLE, body=_BODY))
    terms = deps.signing.library.of_kind(actor, DocumentKind.TERMS)
    for number, booking in enumerate(trips[:4]):
        if number == 0:
            _note_paper(deps, actor, booking, terms)
        else:
            _send(deps, actor, booking, terms)
        if number < 2:
            _send(deps, actor, booking, own)
    for booking in trips[1:3]:
        _offer(deps, actor, booking)
    _ask_for_all(deps, actor, trips[4:], [terms, own])


def _trips(deps: Dependencies, actor: Actor) -> list[BookingDetail]:
    wanted = BookingFilter(status=BookingStatus.BOOKED)
    found = [
        booking for booking in deps.trips.bookings.list_page(actor, wanted, 1).items if actor.owns(booking.agent_id)
    ]
    fit = [each for each in found if each.title != _LEFT_ALONE and each.begins_on and each.lead and each.lead.email]
    return sorted(fit, key=lambda booking: (booking.title, booking.id))


def _send(deps: Dependencies, actor: Actor, booking: BookingDetail, template: Template) -> None:
    if booking.lead is None:
        return
    key = f"demo:{template.id[-20:]}:{booking.id[-20:]}"
    wanted = SendRequest(request_key=key, template_id=template.id, client_ids=[booking.lead.client_id])
    try:
        deps.signing.requests.send(actor, booking.id, wanted)
    except InvalidArgument:
        # This trip does not have what the text names; the next one has.
        return


def _note_paper(deps: Dependencies, actor: Actor, booking: BookingDetail, template: Template) -> None:
    if booking.lead is None:
        return
    lately = (deps.core.clock.now() - timedelta(days=2)).date()
    deps.signing.requests.record_paper(
        actor,
        booking.id,
        template_id=template.id,
        client_id=booking.lead.client_id,
        signed_on=lately,
        request_key=f"demo:paper:{booking.id}",
    )


def _ask_for_all(deps: Dependencies, actor: Actor, trips: list[BookingDetail], documents: list[Template]) -> None:
    """One visit that is still open: documents and an insurance answer, for the first trip that has what they name."""
    for booking in trips:
        if booking.lead is None:
            continue
        key, client_id = f"demo:visit:{booking.id}", booking.lead.client_id
        offer = OfferRequest(request_key=key, client_ids=[client_id], plan=_PLAN, price=_price(booking))
        wanted = VisitRequest(
            request_key=key, client_id=client_id, document_ids=[each.id for each in documents], offer=offer
        )
        try:
            deps.office.visits.send(actor, booking.id, wanted)
        except InvalidArgument:
            continue
        return


def _offer(deps: Dependencies, actor: Actor, booking: BookingDetail) -> None:
    people = [passenger.client_id for passenger in booking.passengers if passenger.email]
    wanted = OfferRequest(
        request_key=f"demo:offer:{booking.id}",
        client_ids=people,
        plan=_PLAN,
        price=_price(booking),
    )
    deps.signing.insurance.offer(actor, booking.id, wanted)


def _price(booking: BookingDetail) -> Money:
    return Money(minor=212_00, currency=booking.currency)
