"""Mails about shared documents (P4): each traveler who can open the portal reads that one is there. The file stays out
of the mail: it is downloaded after sign-in."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from chassis.typed.names import called
from protos.wayvault.events.v1.events_pb2 import DocumentShared
from services.notifier.deliveries.formats import agency_data
from services.notifier.deliveries.service import Deliveries, NewDelivery
from services.notifier.templates.rules import Mail


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentMails:
    """Turns shared documents into queued deliveries."""

    deliveries: Deliveries
    portal_url: str

    def register(self, handlers: EventHandlers) -> None:
        handlers.on(DocumentShared, self.shared)

    def shared(self, session: Session, event: DocumentShared, meta: EventMeta) -> None:
        """A mail to each who is to be told."""
        for client in event.told:
            data = {
                "title": event.title,
                "trip": event.booking_title,
                "client_first_name": called(client.first_name, client.last_name),
                "agent_name": event.agent.name,
                "agent_email": event.agent.email,
                "agent_phone": event.agent.phone or event.agency.phone,
                "url": f"{self.portal_url}/trips/{event.booking_id}#documents",
            }
            self.deliveries.queue(
                session,
                NewDelivery(
                    source_key=f"{meta.event_id}:{client.id}",
                    template=Mail.DOCUMENT_SHARED,
                    agency_id=meta.agency_id,
                    address=client.email,
                    data=data | agency_data(event.agency),
                    agent_id=event.agent.id,
                ),
            )
