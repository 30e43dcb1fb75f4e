"""Mails about support tickets (C12): the admins read a question, the agent their answer."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from protos.wayvault.events.v1.events_pb2 import Agency, Agent, SupportTicketAnswered, SupportTicketOpened
from services.notifier.deliveries.formats import agency_data
from services.notifier.deliveries.service import Deliveries, NewDelivery
from services.notifier.templates.rules import Mail


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportMails:
    """Turns what is written on tickets into queued deliveries."""

    deliveries: Deliveries
    crm_url: str

    def register(self, handlers: EventHandlers) -> None:
        handlers.on(SupportTicketOpened, self.asked)
        handlers.on(SupportTicketAnswered, self.answered)

    def asked(self, session: Session, event: SupportTicketOpened, meta: EventMeta) -> None:
        """Every admin of the agency gets a mail of their own."""
        for admin in event.admins:
            self._queue(session, meta, Mail.SUPPORT_QUESTION, event, to=admin, agency=event.agency)

    def answered(self, session: Session, event: SupportTicketAnswered, meta: EventMeta) -> None:
        self._queue(session, meta, Mail.SUPPORT_ANSWER, event, to=event.recipient, agency=event.agency)

    def _queue(
        self,
        session: Session,
        meta: EventMeta,
        mail: Mail,
        event: SupportTicketOpened | SupportTicketAnswered,
        *,
        to: Agent,
        agency: Agency,
    ) -> None:
        data = {
            "subject": event.subject,
            "text": event.text,
            "author_name": event.author.name,
            "agent_name": to.name,
            "url": f"{self.crm_url}/support/{event.ticket_id}",
        } | agency_data(agency)
        self.deliveries.queue(
            session,
            NewDelivery(
                source_key=f"{meta.event_id}:{to.id}",
                template=mail,
                agency_id=meta.agency_id,
                address=to.email,
                data=data,
                agent_id=to.id,
            ),
        )
