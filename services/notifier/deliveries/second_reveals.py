"""What the notifier does on the events of second reveals (M9) and of a CVV given again (M10)."""

import json
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta, RetryLater
from protos.wayvault.events.v1.events_pb2 import (
    CvvRequested,
    CvvResupplied,
    SecondRevealDecided,
    SecondRevealRequested,
)
from services.notifier.deliveries.formats import agency_data, card, moment, payment_facts
from services.notifier.deliveries.mailing import Mailing
from services.notifier.deliveries.models import Delivery
from services.notifier.templates.rules import Mail

# How long the mail that tells of a CVV waits for the request that it answers.
_WAIT_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondRevealEvents:
    """Turns events into queued deliveries."""

    mailing: Mailing
    crm_url: str

    def register(self, handlers: EventHandlers) -> None:
        handlers.on(SecondRevealRequested, self.requested)
        handlers.on(SecondRevealDecided, self.decided)
        handlers.on(CvvRequested, self.cvv_requested)
        handlers.on(CvvResupplied, self.cvv_resupplied)

    def requested(self, session: Session, event: SecondRevealRequested, meta: EventMeta) -> None:
        """Every admin who may decide it gets a mail of their own, with the way to the request itself."""
        for admin in event.admins:
            extra = {
                "url": f"{self.crm_url}/approvals/{event.second_reveal_id}",
                "owner_name": event.context.agent.name,
                "reason": event.reason,
            }
            self.mailing.about_payment(session, meta, Mail.SECOND_REVEAL_REQUESTED, event.context, extra, to=admin)

    def decided(self, session: Session, event: SecondRevealDecided, meta: EventMeta) -> None:
        """The agent who asked learns what came of it."""
        agent = event.context.agent
        extra = {
            "url": f"{self.crm_url}/payments/{event.context.payment_id}",
            "approved": "yes" if event.approved else "",
            "decided_by": event.decided_by,
            "word": event.word,
            "good_until": moment(event.good_until, agent.time_zone) if event.approved else "",
        }
        self.mailing.about_payment(session, meta, Mail.SECOND_REVEAL_DECIDED, event.context, extra, to=agent)

    def cvv_requested(self, session: Session, event: CvvRequested, meta: EventMeta) -> None:
        """The client's mail with their link. What the agent's later mail shows is kept with it."""
        context = event.context
        facts = payment_facts(context) | agency_data(context.agency)
        facts |= {
            "card": card(event.brand, event.last4),
            "expires": moment(event.expires_at, context.agency.time_zone),
            "agent_mail": context.agent.email,
            "agent_zone": context.agent.time_zone,
        }
        self.mailing.letter(
            session,
            meta,
            event.sealed_mail,
            facts,
            agent_id=context.agent.id,
            payment_id=context.payment_id,
            link_id=event.link_id,
        )

    def cvv_resupplied(self, session: Session, event: CvvResupplied, meta: EventMeta) -> None:
        """The agent learns that the vault holds a CVV again. Waits when the request itself is still on its way."""
        asked = session.scalars(
            select(Delivery).where(Delivery.link_id == event.link_id, Delivery.template == Mail.CVV_REQUEST.value)
        ).first()
        if asked is None:
            raise RetryLater(_WAIT_SECONDS)
        facts: dict[str, str] = json.loads(asked.data)
        extra = {
            "url": f"{self.crm_url}/payments/{event.payment_id}",
            "cvv_kept_until": moment(event.cvv_kept_until, facts["agent_zone"]),
        }
        self.mailing.mail(
            session,
            meta,
            Mail.CVV_RESUPPLIED,
            facts | extra,
            to=facts["agent_mail"],
            agent_id=asked.agent_id,
            payment_id=event.payment_id,
        )
