"""Mails of a visit (C18): the one link to all that a client is asked for, and at its end their copies."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from chassis.money import Money
from chassis.visit_words import document_line, insurance_line, payment_line
from protos.wayvault.events.v1.events_pb2 import VisitAsked, VisitEnded, VisitOpened, VisitWithdrawn
from services.notifier.deliveries.formats import moment, payment_facts
from services.notifier.deliveries.mailing import Mailing
from services.notifier.deliveries.message import Attachment
from services.notifier.deliveries.signing_mails import people_data


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitMails:
    """Turns events into queued deliveries."""

    mailing: Mailing

    def register(self, handlers: EventHandlers) -> None:
        handlers.on(VisitAsked, self.asked)
        handlers.on(VisitEnded, self.ended)
        handlers.ignore(VisitOpened)
        handlers.ignore(VisitWithdrawn)

    def asked(self, session: Session, event: VisitAsked, meta: EventMeta) -> None:
        """The link for the client; from the second mail on it is a reminder of what still waits."""
        facts = people_data(event.agent, event.agency, event.client) | {
            "trip": event.booking_title,
            "parts": "\n".join(_lines(event)),
            "card": "yes" if any(part.HasField("payment") for part in event.parts) else "",
            "reminder": "yes" if event.issue > 1 else "",
            "expires": moment(event.expires_at, event.agency.time_zone),
        }
        self.mailing.letter(
            session,
            meta,
            event.sealed_mail,
            facts,
            agent_id=event.agent.id,
            payment_id=next((part.payment.context.payment_id for part in event.parts if part.HasField("payment")), ""),
            link_id=event.visit_id,
        )

    def ended(self, session: Session, event: VisitEnded, meta: EventMeta) -> None:
        """Everything that was signed, in one mail."""
        facts = people_data(event.agent, event.agency, event.client) | {
            "trip": event.booking_title,
            "titles": "\n".join(copy.title for copy in event.copies),
            "left_out": str(event.left_out or ""),
        }
        copies = [Attachment(name=copy.name, content=copy.pdf) for copy in event.copies]
        self.mailing.letter(session, meta, event.sealed_mail, facts, agent_id=event.agent.id, copies=copies)


def _lines(event: VisitAsked) -> Iterator[str]:
    """What is asked, a line each."""
    for part in event.parts:
        match part.WhichOneof("asked"):
            case "insurance":
                price = Money(minor=part.insurance.price.minor, currency=part.insurance.price.currency)
                yield insurance_line(part.insurance.plan, price.format())
            case "document":
                yield document_line(part.document.title)
            case "payment":
                facts = payment_facts(part.payment.context)
                yield payment_line(facts["amount"], facts["purpose"])
