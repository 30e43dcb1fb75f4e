"""The demo's quote requests, registration and invitations: an inbox with something in it, and clients on their way to
the portal."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from chassis.ids import new_id
from chassis.timestamps import stamp
from protos.wayvault.common.v1.common_pb2 import PostalAddress
from protos.wayvault.events.v1.events_pb2 import Client, QuoteRequested, RegistrationProven
from services.crm.core.actor import Actor
from services.crm.models import QuoteRow
from services.crm.parts import Dependencies
from services.crm.sales.clients.service import ClientData, ClientFilter
from services.crm.sales.portal_access.service import AccessState
from services.crm.trips.quotes.service import QuoteFilter, QuoteState

_INVITED_PER_AGENT = 2
_NEW = QuoteFilter(state=QuoteState.NEW)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoQuote:
    """`hours` ago; `begins_in` and `nights` in days."""

    name: str
    email: str
    destination: str
    hours: int
    begins_in: int
    nights: int
    adults: int = 2
    children: int = 0
    budget: str = ""
    wishes: str = ""
    declined: str = ""


QUOTES = (
    DemoQuote(
        name="Rosalind Achterberg",
        email="rosalind@visitor.example",
        destination="Norwegian fjords by ship",
        hours=3,
        begins_in=210,
        nights=8,
        budget="US$ 9,000 for both of us",
        wishes="A balcony, quiet evenings, and whales if the season allows. My husband gets seasick in small boats.",
    ),
    DemoQuote(
        name="Tomás Iglesias",
        email="tomas@visitor.example",
        destination="Kyoto and the Japanese Alps",
        hours=22,
        begins_in=140,
        nights=12,
        children=2,
        wishes="Trains rather than cars. The children are 9 and 12 and love food markets.",
    ),
    DemoQuote(
        name="Beatrix Oyelaran",
        email="beatrix@visitor.example",
        destination="Somewhere warm in February",
        hours=75,
        begins_in=80,
        nights=7,
        adults=1,
        budget="US$ 2,500",
    ),
    DemoQuote(
        name="Percival Nakamura",
        email="percival@visitor.example",
        destination="Antarctica next week",
        hours=190,
        begins_in=7,
        nights=14,
        declined="No ship sails at such short notice. Called him; he asks again for next year.",
    ),
)

# Who registered on an agent's public page without a wish for a trip (P10).
REGISTRANT = ClientData(
    first_name="Philippa",
    last_name="Sandoval",
    email="philippa@visitor.example",
    phone="+1 415 555 0188",
    street="18 Alder Row",
    city="Sausalito",
    region="CA",
    postal_code="94965",
    country="US",
)


def add_quotes(deps: Dependencies, actor: Actor) -> None:
    """Gives an agent's inbox the demo's requests, unless it has some."""
    with deps.core.database.transaction() as session:
        if session.scalars(select(QuoteRow.id).where(QuoteRow.agent_id == actor.agent_id).limit(1)).first():
            return
        for number, quote in enumerate(QUOTES):
            message = _message(deps, actor, quote, number)
            deps.trips.quotes.learn_requested(session, message, actor.agency_id)
    for request in deps.trips.quotes.list_page(actor, _NEW, 1).items:
        why = next((each.declined for each in QUOTES if each.email == request.email), "")
        if why:
            deps.trips.quotes.decline(actor, request.id, why, version=request.version)


def add_invitations(deps: Dependencies, actor: Actor) -> None:
    """Invites the agent's first clients to the portal. Their letters need the CRM's signing key: without it, nobody."""
    if not deps.core.settings.letter_signing_key.is_file():
        return
    clients = deps.sales.clients.list_page(actor, ClientFilter(), 1).items
    for client in [each for each in clients if each.email][:_INVITED_PER_AGENT]:
        access = deps.sales.portal_access.of(actor, client.id)
        if access is None or access.state is AccessState.WITHDRAWN:
            deps.sales.portal_access.invite(actor, client.id, deps.sales.portal_access.suggestion(client))


def add_registration(deps: Dependencies, actor: Actor) -> None:
    """Somebody who registered yesterday, unless they did before: a client, and a task that says so. The portal was not
    asked, so that it has no account of theirs: it gets one by an invitation."""
    if deps.sales.clients.with_address(actor, REGISTRANT.email):
        return
    registration_id = new_id("registration")
    with deps.core.database.transaction() as session:
        deps.sales.registrations.learn_proven(session, _proven(deps, actor, registration_id), actor.agency_id)
    (client,) = deps.sales.clients.with_address(actor, REGISTRANT.email)
    access = deps.sales.portal_access.of(actor, client.id)
    if access is not None and deps.core.settings.letter_signing_key.is_file():
        deps.sales.portal_access.invite(actor, client.id, access.username)


def _proven(deps: Dependencies, actor: Actor, registration_id: str) -> RegistrationProven:
    who = REGISTRANT
    message = RegistrationProven(
        registration_id=registration_id,
        client=Client(first_name=who.first_name, last_name=who.last_name, email=who.email, phone=who.phone),
        address=PostalAddress(
            line1=who.street, city=who.city, region=who.region, postal_code=who.postal_code, country=who.country
        ),
        at=stamp(deps.core.clock.now() - timedelta(hours=26)),
    )
    message.agent.id = actor.agent_id
    return message


def _message(deps: Dependencies, actor: Actor, quote: DemoQuote, number: int) -> QuoteRequested:
    asked_at = deps.core.clock.now() - timedelta(hours=quote.hours)
    begins_on = (deps.core.clock.now() + timedelta(days=quote.begins_in)).date()
    first_name, _, last_name = quote.name.partition(" ")
    return QuoteRequested(
        quote_id=new_id("quote"),
        agent_id=actor.agent_id,
        registration_id=f"demo:{actor.agent_id}:{number}",
        client=Client(first_name=first_name, last_name=last_name, email=quote.email),
        destination=quote.destination,
        begins_on=begins_on.isoformat(),
        ends_on=(begins_on + timedelta(days=quote.nights)).isoformat(),
        adults=quote.adults,
        children=quote.children,
        budget=quote.budget,
        wishes=quote.wishes,
        at=stamp(asked_at),
    )
