"""Mails about a client's way into the portal, and to an agent about a quote request."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from chassis.clock import Clock
from chassis.sealing import Letter, LetterExpired, LetterReader, SealError
from chassis.typed.names import called
from protos.wayvault.events.v1.events_pb2 import (
    Agency,
    ClientPortalInvited,
    PortalMailSealed,
    QuoteRequested,
)
from services.notifier.deliveries.events import LetterRefused
from services.notifier.deliveries.formats import day, moment
from services.notifier.deliveries.service import Deliveries, NewDelivery
from services.notifier.letters.rules import may_sign
from services.notifier.templates.rules import Mail


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientMails:
    """Turns invitations, resets and quote requests into queued deliveries."""

    deliveries: Deliveries
    letters: LetterReader
    clock: Clock
    crm_url: str

    def register(self, handlers: EventHandlers) -> None:
        handlers.on(ClientPortalInvited, self.portal_invited)
        handlers.on(PortalMailSealed, self.portal_mail)
        handlers.on(QuoteRequested, self.quote_requested)

    def portal_invited(self, session: Session, event: ClientPortalInvited, meta: EventMeta) -> None:
        facts = {
            "client_first_name": called(event.client.first_name, event.client.last_name),
            "agent_name": event.agent.name,
            "agent_email": event.agent.email,
            "agent_phone": event.agent.phone or event.agency.phone,
            "expires": moment(event.expires_at, event.agency.time_zone),
        }
        self._queue_letter(
            session, meta, event.sealed_mail, event.agency, facts, agent_id=event.agent.id, link_id=event.client.id
        )

    def portal_mail(self, session: Session, event: PortalMailSealed, meta: EventMeta) -> None:
        self._queue_letter(session, meta, event.sealed_mail, event.agency, {}, agent_id="")

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
        self.deliveries.queue(
            session,
            NewDelivery(
                source_key=f"{meta.event_id}:{Mail.QUOTE_RECEIVED}",
                template=Mail.QUOTE_RECEIVED,
                agency_id=meta.agency_id,
                address=event.client.email,
                data=data | _theme_data(event.agency),
                agent_id=event.agent_id,
            ),
        )

    def _tell_agent(self, session: Session, event: QuoteRequested, meta: EventMeta) -> None:
        travelers = _count(event.adults, "adult", "adults")
        if event.children:
            travelers += ", " + _count(event.children, "child", "children")
        dates = " to ".join(dict.fromkeys(filter(None, (day(event.begins_on), day(event.ends_on)))))
        data = {
            "client_name": f"{event.client.first_name} {event.client.last_name}".strip(),
            "client_email": event.client.email,
            "client_phone": event.client.phone,
            "destination": event.destination,
            "dates": dates or "Open",
            "travelers": travelers,
            "budget": event.budget,
            "wishes": event.wishes,
            "url": f"{self.crm_url}/quotes/{event.quote_id}",
        }
        self.deliveries.queue(
            session,
            NewDelivery(
                source_key=f"{meta.event_id}:{Mail.QUOTE_REQUEST}",
                template=Mail.QUOTE_REQUEST,
                agency_id=meta.agency_id,
                address=event.agent.email,
                data=data | _theme_data(event.agency),
                agent_id=event.agent_id,
            ),
        )

    def _queue_letter(
        self,
        session: Session,
        meta: EventMeta,
        sealed: str,
        agency: Agency,
        facts: dict[str, str],
        *,
        agent_id: str,
        link_id: str = "",
    ) -> None:
        letter = self._open(sealed)
        if letter is None:
            self.deliveries.report_unreadable(session, agency_id=meta.agency_id, payment_id="", agent_id=agent_id)
            return
        self.deliveries.queue(
            session,
            NewDelivery(
                source_key=f"{meta.event_id}:{letter.template}",
                template=Mail(letter.template),
                agency_id=meta.agency_id,
                address=letter.to,
                sealed_letter=sealed,
                data=facts | _theme_data(agency),
                link_id=link_id,
                agent_id=agent_id,
                expires_at=letter.expires_at,
            ),
        )

    def _open(self, sealed: str) -> Letter | None:
        """The letter, its signer checked; None when it is past its time. Raises LetterRefused."""
        try:
            opened = self.letters.open(sealed, self.clock.now())
        except LetterExpired:
            return None
        except SealError as error:
            raise LetterRefused(str(error)) from error
        if not may_sign(opened.issuer, opened.letter.template):
            raise LetterRefused(f"{opened.issuer} may not write the letter {opened.letter.template}")
        return opened.letter


def _theme_data(agency: Agency) -> dict[str, str]:
    return {
        "agency_name": agency.name,
        "agency_accent": agency.accent_colour,
        "agency_phone": agency.phone,
        "agency_email": agency.email,
    }


def _count(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"
