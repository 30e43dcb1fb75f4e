"""Mails that bring a link: to what is to be signed, and what was (C7, C8), and to an itinerary (C5). What is signed in
a visit (C18) comes to the client at its end."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from chassis.money import Money
from chassis.typed.names import called
from protos.wayvault.events.v1.events_pb2 import (
    Agency,
    Agent,
    Client,
    EsignRequested,
    EsignSigned,
    InsuranceDecided,
    InsuranceOffered,
    ItineraryShared,
    ItineraryUnshared,
)
from services.notifier.deliveries.formats import agency_data, moment
from services.notifier.deliveries.mailing import Mailing
from services.notifier.deliveries.message import Attachment
from services.notifier.templates.rules import Mail


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningMails:
    """Turns events into queued deliveries."""

    mailing: Mailing
    crm_url: str

    def register(self, handlers: EventHandlers) -> None:
        handlers.on(EsignRequested, self.esign_requested)
        handlers.on(EsignSigned, self.esign_signed)
        handlers.on(InsuranceOffered, self.insurance_offered)
        handlers.on(InsuranceDecided, self.insurance_decided)
        handlers.on(ItineraryShared, self.itinerary_shared)
        handlers.ignore(ItineraryUnshared)

    def esign_requested(self, session: Session, event: EsignRequested, meta: EventMeta) -> None:
        """The link for the client; from the second mail on it is a reminder."""
        facts = people_data(event.agent, event.agency, event.signer) | {
            "title": event.title,
            "trip": event.booking_title,
            "reminder": "yes" if event.issue > 1 else "",
            "expires": moment(event.expires_at, event.agency.time_zone),
        }
        self.mailing.letter(session, meta, event.sealed_mail, facts, agent_id=event.agent.id, link_id=event.request_id)

    def esign_signed(self, session: Session, event: EsignSigned, meta: EventMeta) -> None:
        """The client gets their copy, the agent the news; both with the PDF."""
        facts = people_data(event.agent, event.agency, event.signer) | {
            "title": event.title,
            "signed": moment(event.signed_at, event.agency.time_zone),
        }
        attachment = Attachment(name="signed-document.pdf", content=event.pdf)
        if not event.visit_id:
            self.mailing.letter(session, meta, event.sealed_mail, facts, agent_id=event.agent.id, attachment=attachment)
        url = f"{self.crm_url}/signatures/{event.request_id}"
        self.mailing.mail(
            session,
            meta,
            Mail.ESIGN_SIGNED,
            facts | {"url": url},
            to=event.agent.email,
            agent_id=event.agent.id,
            attachment=attachment,
        )

    def insurance_offered(self, session: Session, event: InsuranceOffered, meta: EventMeta) -> None:
        """The link for the passenger."""
        price = Money(minor=event.price.minor, currency=event.price.currency)
        facts = people_data(event.agent, event.agency, event.passenger) | {
            "plan": event.plan,
            "price": price.format(),
            "trip": event.booking_title,
            "reminder": "yes" if event.issue > 1 else "",
            "expires": moment(event.expires_at, event.agency.time_zone),
        }
        self.mailing.letter(session, meta, event.sealed_mail, facts, agent_id=event.agent.id, link_id=event.offer_id)

    def insurance_decided(self, session: Session, event: InsuranceDecided, meta: EventMeta) -> None:
        """The passenger gets a copy of the signed answer, the agent the news; both with the PDF."""
        facts = people_data(event.agent, event.agency, event.passenger) | {
            "plan": event.plan,
            "accepted": "yes" if event.accepted else "",
            "signed": moment(event.at, event.agency.time_zone),
        }
        attachment = Attachment(name="insurance-answer.pdf", content=event.pdf)
        url = f"{self.crm_url}/bookings/{event.booking_id}#insurance"
        mails = ((Mail.INSURANCE_COPY, event.passenger.email, ""), (Mail.INSURANCE_DECIDED, event.agent.email, url))
        for mail, address, link in mails[1:] if event.visit_id else mails:
            data = facts | ({"url": link} if link else {})
            self.mailing.mail(session, meta, mail, data, to=address, agent_id=event.agent.id, attachment=attachment)

    def itinerary_shared(self, session: Session, event: ItineraryShared, meta: EventMeta) -> None:
        """The link for a traveler; one that the agent passes on needs no mail."""
        if not event.sealed_mail:
            return
        facts = people_data(event.agent, event.agency, event.client) | {
            "trip": event.booking_title,
            "expires": moment(event.expires_at, event.agency.time_zone),
        }
        self.mailing.letter(session, meta, event.sealed_mail, facts, agent_id=event.agent.id, link_id=event.share_id)


def people_data(agent: Agent, agency: Agency, client: Client) -> dict[str, str]:
    """Who writes to whom, in whose name and colour."""
    return {
        "client_first_name": called(client.first_name, client.last_name),
        "client_name": f"{client.first_name} {client.last_name}".strip(),
        "agent_name": agent.name,
        "agent_email": agent.email,
        "agent_phone": agent.phone or agency.phone,
    } | agency_data(agency)
