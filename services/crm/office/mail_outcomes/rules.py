"""What a failed e-mail was, and how one is sent anew. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final


class Remedy(StrEnum):
    """What sends such an e-mail again."""

    # A button here: the link's e-mail goes out anew.
    RESEND = "resend"
    # A new one is asked for where the old one was.
    PAYMENT = "payment"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailKind:
    """An e-mail in words, and its remedy."""

    words: str
    remedy: Remedy
    advice: str


_AGAIN: Final = "Check the address, then ask for a new one in the payment."
_KINDS: Final = {
    "payment_link": MailKind(
        words="Payment link to the client",
        remedy=Remedy.RESEND,
        advice="Correct the client's address if need be, then send the link again.",
    ),
    "link_sent": MailKind(
        words="Confirmation that a link was sent", remedy=Remedy.NONE, advice="The link itself was sent."
    ),
    "payment_alert": MailKind(
        words="Alert of a payment that waits",
        remedy=Remedy.PAYMENT,
        advice="The payment waits in the payment report all the same.",
    ),
    "payment_reported": MailKind(
        words="Notice that a client reports a payment",
        remedy=Remedy.PAYMENT,
        advice="It stands on your dashboard all the same, to be confirmed.",
    ),
    "signed_copy": MailKind(
        words="Signed copy to the client",
        remedy=Remedy.PAYMENT,
        advice="Download the signed authorization in the payment and send it to the client yourself.",
    ),
    "reveal_code": MailKind(words="One-time code for a card", remedy=Remedy.PAYMENT, advice=_AGAIN),
    "cvv_code": MailKind(words="One-time code for a CVV", remedy=Remedy.PAYMENT, advice=_AGAIN),
    "cvv_link": MailKind(words="Link to a CVV", remedy=Remedy.PAYMENT, advice=_AGAIN),
    "cvv_request": MailKind(
        words="Request for the CVV alone", remedy=Remedy.PAYMENT, advice="Ask for the CVV again in the payment."
    ),
    "payment_processed": MailKind(
        words="Notice that a payment is done", remedy=Remedy.PAYMENT, advice="Tell the client yourself."
    ),
    "confirm_charge": MailKind(
        words="Link to confirm a charge",
        remedy=Remedy.PAYMENT,
        advice="The link stands in the payment: send it to the client another way.",
    ),
    "payment_refunded": MailKind(
        words="Notice that money was given back", remedy=Remedy.PAYMENT, advice="Tell the client yourself."
    ),
    "refund_requested": MailKind(
        words="Request to approve a refund",
        remedy=Remedy.PAYMENT,
        advice="It waits under Approvals all the same; tell another admin.",
    ),
    "refund_decided": MailKind(
        words="How an admin decided a refund", remedy=Remedy.PAYMENT, advice="It stands in the payment."
    ),
    "refund_failed": MailKind(
        words="Notice that a refund was not made",
        remedy=Remedy.PAYMENT,
        advice="It stands on your dashboard and in the payment all the same.",
    ),
    "void_notice": MailKind(
        words="Notice that a payment is void", remedy=Remedy.PAYMENT, advice="Tell the client by phone."
    ),
    "agent_invitation": MailKind(
        words="Invitation of an agent",
        remedy=Remedy.NONE,
        advice="Check the agent's address under Agency, then send the invitation again from there.",
    ),
    "itinerary": MailKind(
        words="Itinerary to a traveler",
        remedy=Remedy.NONE,
        advice="Correct the client's address if need be, then share the itinerary again from the booking.",
    ),
    "portal_invitation": MailKind(
        words="Invitation to the portal",
        remedy=Remedy.NONE,
        advice="Correct the client's address in their profile, then send the invitation again from there.",
    ),
}


def kind_of(name: str) -> MailKind:
    """An e-mail by its template's name."""
    words = name.replace("_", " ").strip() or "e-mail"
    advice = "Check the address and do again what sent it."
    return _KINDS.get(name) or MailKind(words=words[:1].upper() + words[1:], remedy=Remedy.NONE, advice=advice)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An e-mail that could not be delivered."""

    id: str
    agent_id: str
    agent_name: str
    kind: MailKind
    payment_id: str
    link_id: str
    # Whole where it is known, else masked.
    address: str
    client_id: str
    client_name: str
    reason: str
    failed_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MailFate:
    """What became of one e-mail. `problem`: why it did not arrive; empty when the recipient's mail server took it."""

    at: datetime
    words: str
    address: str
    problem: str
