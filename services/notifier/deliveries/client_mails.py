"""Mails about a client's way into the portal, and to an agent about a quote request."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from chassis.typed.names import called
from protos.wayvault.events.v1.events_pb2 import (
    ClientPortalInvited,
    PortalMailSealed,
    QuoteRequested,
    RegistrationAnswered,
)
from services.notifier.deliveries.formats import agency_data, days, moment
from services.notifier.deliveries.mailing import Mailing
from services.notifier.templates.rules import Mail


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientMails:
    """Turns invitations, resets and quote requests into queued deliveries."""

    mailing: Mailing
    crm_url: str
    portal_url: str

    def register(self, handlers: EventHandlers) -> None:
        handlers.on(ClientPortalInvited, self.portal_invited)
        handlers.on(PortalMailSealed, self.portal_mail)
        handlers.on(QuoteRequested, self.quote_requested)
        handlers.on(RegistrationAnswered, self.registration_answered)

    def portal_invited(self, session: Session, event: ClientPortalInvited, meta: EventMeta) -> None:
        facts = {
            "client_first_name": called(event.client.first_name, event.client.last_name),
            "agent_name": event.agent.name,
            "agent_email": event.agent.email,
            "agent_phone": event.agent.phone or event.agency.phone,
            "expires": moment(event.expires_at, event.agency.time_zone),
        } | agency_data(event.agency)
        self.mailing.letter(session, meta, event.sealed_mail, facts, agent_id=event.agent.id, link_id=event.client.id)

    def portal_mail(self, session: Session, event: PortalMailSealed, meta: EventMeta) -> None:
        self.mailing.letter(session, meta, event.sealed_mail, agency_data(event.agency), agent_id="")

    def registration_answered(self, session: Session, event: RegistrationAnswered, meta: EventMeta) -> None:
        """Who was admitted gets their username in writing; the agent reads who came, also through a closed door."""
        client, agent = event.client, event.agent
        if event.outcome == "known":
            return
        facts = agency_data(event.agency) | {"agent_name": agent.name, "agent_phone": agent.phone or event.agency.phone}
        if event.outcome == "admitted":
            data = facts | {
                "client_first_name": called(client.first_name, client.last_name),
                "username": event.username,
                "url": f"{self.portal_url}/sign-in?agency={event.agency.id}",
            }
            self.mailing.mail(session, meta, Mail.REGISTRATION_DONE, data, to=client.email, agent_id=agent.id)
        data = facts | {
            "client_name": f"{client.first_name} {client.last_name}".strip(),
            "client_email": client.email,
            "client_phone": client.phone,
            "closed": "yes" if event.outcome == "closed" else "",
            "url": f"{self.crm_url}/clients/{client.id}",
        }
        self.mailing.mail(session, meta, Mail.CLIENT_REGISTERED, data, to=agent.email, agent_id=agent.id)

    def quote_requested(self, session: Session, event: QuoteRequested, meta: EventMeta) -> None:
        """The agent gets the request, the person who asked a word that it has arrived."""
        self._tell_agent(session, event, meta)
        self._tell_visitor(session, event, meta)

    def _tell_visitor(self, session: Session, event: QuoteRequested, meta: EventMeta) -> None:
        # Nothing of what was typed goes out: anybody can type any address, and any text, on a public page.
        data = {
            "agent_name": event.agent.name,
            "agent_email": event.agent.email,
            "agent_phone": event.agent.phone or event.agency.phone,
        }
        self.mailing.mail(
            session,
            meta,
            Mail.QUOTE_RECEIVED,
            data | agency_data(event.agency),
            to=event.client.email,
            agent_id=event.agent_id,
        )

    def _tell_agent(self, session: Session, event: QuoteRequested, meta: EventMeta) -> None:
        travelers = _count(event.adults, "adult", "adults")
        if event.children:
            travelers += ", " + _count(event.children, "child", "children")
        data = {
            "agent_name": event.agent.name,
            "client_name": f"{event.client.first_name} {event.client.last_name}".strip(),
            "client_email": event.client.email,
            "client_phone": event.client.phone,
            "destination": event.destination,
            "dates": days(event.begins_on, event.ends_on) or "Open",
            "travelers": travelers,
            "budget": event.budget,
            "wishes": event.wishes,
            "url": f"{self.crm_url}/quotes/{event.quote_id}",
        }
        self.mailing.mail(
            session,
            meta,
            Mail.QUOTE_REQUEST,
            data | agency_data(event.agency),
            to=event.agent.email,
            agent_id=event.agent_id,
        )


def _count(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"
