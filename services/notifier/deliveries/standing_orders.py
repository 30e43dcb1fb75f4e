"""Mails about standing orders (G3): to the client and the agent, before and after each charge and when one changes.

What a link's own letter, the signed copy or the receipt says already is not said again.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from protos.wayvault.events.v1.events_pb2 import StandingOrderTold
from services.notifier.deliveries.formats import agency_data, card, day, payment_facts
from services.notifier.deliveries.service import Deliveries, NewDelivery
from services.notifier.templates.rules import Mail

N = StandingOrderTold.News
_Words = dict["N.ValueType", tuple[str, str]]

# Title and sentence; {next}, {client}, {agent} and {note} are filled in.
_TO_CLIENT: Final[_Words] = {
    N.NEWS_AHEAD: (
        "Your standing order: charge on {next}",
        "Your card will be charged by your standing order on {next}. There is nothing for you to do.",
    ),
    N.NEWS_FAILED: (
        "Your standing order could not be charged",
        "Your bank declined the charge. We will try again on {next}. To use another card, ask {agent}.",
    ),
    N.NEWS_PAUSED: (
        "Your standing order is paused",
        "{agent} paused your standing order. Nothing is charged until it is resumed; you will get an e-mail then.",
    ),
    N.NEWS_RESUMED: (
        "Your standing order has been resumed",
        "{agent} resumed your standing order. The days of the pause are left out; we tell you before the next charge.",
    ),
    N.NEWS_CANCELLED: (
        "Your standing order is cancelled",
        "Nothing more is charged by your standing order, and the payment gateway is told to forget your card.",
    ),
    N.NEWS_COMPLETED: (
        "Your standing order is completed",
        "That was the last charge of your standing order. The payment gateway is told to forget your card.",
    ),
}
_TO_AGENT: Final[_Words] = {
    N.NEWS_BEGUN: ("{client} signed the standing order", "It is charged by itself from {next} on."),
    N.NEWS_AHEAD: ("Standing order of {client}: charge on {next}", "It is charged by itself on {next}."),
    N.NEWS_CHARGED: ("Standing order of {client}: charged", "It was charged, and the client gets a receipt."),
    N.NEWS_FAILED: ("Standing order of {client}: declined", "{note} It is tried again on {next}."),
    N.NEWS_CARD_NEEDED: (
        "Standing order of {client}: another card is needed",
        "{note} The client got a link by which they give another card; it is then charged at once.",
    ),
    N.NEWS_CARD_GIVEN: ("Standing order of {client}: another card", "The client gave another card by the link."),
    N.NEWS_PAUSED: ("Standing order of {client}: paused", "Nothing is charged until you resume it."),
    N.NEWS_RESUMED: ("Standing order of {client}: resumed", "The days of the pause are left out."),
    N.NEWS_CANCELLED: ("Standing order of {client}: cancelled", "{note} Nothing more is charged."),
    N.NEWS_COMPLETED: ("Standing order of {client}: completed", "The last charge was made."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingOrderMails:
    """Turns what is told of standing orders into queued deliveries."""

    deliveries: Deliveries
    crm_url: str
    portal_url: str

    def register(self, handlers: EventHandlers) -> None:
        handlers.on(StandingOrderTold, self.told)

    def told(self, session: Session, event: StandingOrderTold, meta: EventMeta) -> None:
        wanted = (
            (Mail.STANDING_ORDER, event.context.payer.email, f"{self.portal_url}/payments", _TO_CLIENT.get(event.news)),
            (Mail.STANDING_ORDER_AGENT, event.context.agent.email, self.crm_url, _TO_AGENT.get(event.news)),
        )
        for mail, address, site, words in wanted:
            if words is not None:
                new = NewDelivery(
                    source_key=f"{meta.event_id}:{mail}",
                    template=mail,
                    agency_id=meta.agency_id,
                    address=address,
                    data=_data(event, words, site),
                    payment_id=event.context.payment_id,
                    agent_id=event.context.agent.id,
                )
                self.deliveries.queue(session, new)


def _data(event: StandingOrderTold, words: tuple[str, str], site: str) -> dict[str, str]:
    facts = payment_facts(event.context)
    said = {
        "next": day(event.next_on),
        "client": facts["client_name"],
        "agent": facts["agent_name"],
        "note": event.note,
    }
    title, sentence = (text.format(**said).strip() for text in words)
    shown = {
        "title": title,
        "sentence": sentence,
        "next_on": day(event.next_on),
        "card": card(event.card_brand, event.card_last4) if event.card_last4 else "",
        "made": str(event.made),
        "url": f"{site}/standing-orders/{event.order_id}",
    }
    return facts | agency_data(event.context.agency) | shown
