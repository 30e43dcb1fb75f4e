"""Use cases of quote requests: ask."""

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database, insert_if_absent
from chassis.ids import new_id
from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import Agency, Agent, Client, ClientRegistered, QuoteRequested
from services.portal.account.service import PresentClient
from services.portal.agents.service import AgentView
from services.portal.quotes.models import QuoteRow
from services.portal.quotes.rules import Visitor, Wish

__all__ = ["Quotes", "Visitor", "Wish"]


class Quotes:
    """The quotes room."""

    def __init__(self, *, database: Database, outbox: Outbox, clock: Clock) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock

    def ask(
        self, agent: AgentView, wish: Wish, visitor: Visitor, *, client: PresentClient | None, request_key: str
    ) -> bool:
        """Tells the CRM and the agent of the wish, and of the visitor when they are no signed-in client of this agent.

        The same form again asks nothing more: False.
        """
        now = self._clock.now()
        quote_id, registration_id = new_id("quote"), "" if client else new_id("registration")
        person = Client(
            id=client.client_id if client else "",
            first_name=visitor.first_name,
            last_name=visitor.last_name,
            email=visitor.email,
            phone=visitor.phone,
        )
        values = {"request_key": request_key, "quote_id": quote_id, "agent_id": agent.agent_id, "asked_at": now}
        with self._database.transaction() as session:
            if not insert_if_absent(session, QuoteRow.__table__, values):  # type: ignore[arg-type]
                return False
            if registration_id:
                registered = ClientRegistered(
                    registration_id=registration_id,
                    agent_id=agent.agent_id,
                    agency_id=agent.agency_id,
                    client=person,
                    at=stamp(now),
                )
                self._outbox.add(session, registered, aggregate_id=registration_id, agency_id=agent.agency_id)
            asked = QuoteRequested(
                quote_id=quote_id,
                agent_id=agent.agent_id,
                registration_id=registration_id,
                client_id=person.id,
                client=person,
                destination=wish.destination,
                begins_on=wish.begins_on.isoformat() if wish.begins_on else "",
                ends_on=wish.ends_on.isoformat() if wish.ends_on else "",
                adults=wish.adults,
                children=wish.children,
                budget=wish.budget,
                wishes=wish.wishes,
                at=stamp(now),
                agent=_agent(agent),
                agency=_agency(agent),
            )
            self._outbox.add(session, asked, aggregate_id=quote_id, agency_id=agent.agency_id)
        return True


def _agent(agent: AgentView) -> Agent:
    return Agent(id=agent.agent_id, name=agent.name, email=agent.email, phone=agent.phone, time_zone=agent.time_zone)


def _agency(agent: AgentView) -> Agency:
    return Agency(
        id=agent.agency_id,
        name=agent.agency_name,
        accent_colour=agent.accent,
        phone=agent.agency_phone,
        email=agent.agency_email,
        time_zone=agent.time_zone,
    )
