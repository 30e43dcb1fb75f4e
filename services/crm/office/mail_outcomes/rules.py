"""What a failed e-mail was, and how one is sent anew. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final


class Remedy(StrEnum):
    """What sends such an e-mail again."""

    # A button here: it goes out anew, to the address that is known today.
    RESEND = "resend"
    # A new one is asked for where the old one was.
    PAYMENT = "payment"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailKind:
    """An e-mail in words, and its remedy. `to_agent`: it was to the agent themselves, so no client has to be told."""

    words: str
    remedy: Remedy
    advice: str
    to_agent: bool = False


def _again(words: str, whose: str = "the client's") -> MailKind:
    return MailKind(
        words=words, remedy=Remedy.RESEND, advice=f"Correct {whose} address if need be, then send it again."
    )


def _of_payment(words: str, advice: str) -> MailKind:
    return MailKind(words=words, remedy=Remedy.PAYMENT, advice=advice)


def _elsewhere(words: str, advice: str) -> MailKind:
    return MailKind(words=words, remedy=Remedy.NONE, advice=advice)


def _news(words: str, advice: str) -> MailKind:
    """To the agent, of something that stands in Wayvault all the same."""
    mend = "If your own address is wrong, ask an operator to change it."
    return MailKind(words=words, remedy=Remedy.NONE, advice=f"{advice} {mend}", to_agent=True)


_CODE: Final = "If your own address is wrong, ask an operator to change it; then ask for a new one in the payment."
_TELL: Final = "Tell the client yourself; the payment itself is as it should be."
_KINDS: Final = {
    # What waits on somebody goes out again from here.
    "payment_link": _again("Payment link to the client"),
    "esign_request": _again("Document for the client to sign"),
    "insurance_offer": _again("Insurance offer to a passenger", "the passenger's"),
    "portal_invitation": _again("Invitation to the portal"),
    "cvv_request": _again("Request for the CVV alone"),
    "confirm_charge": _again("Link to confirm a charge"),
    "visit": _again("Request for everything at once"),
    "itinerary": _again("Itinerary to a traveler", "the traveler's"),
    "agent_invitation": MailKind(
        words="Invitation of an agent",
        remedy=Remedy.RESEND,
        advice="Send it again, or invite from Agency and hand over the link. An operator corrects the address.",
    ),
    # What only the vault writes, once, is asked for anew.
    "reveal_code": _of_payment("One-time code for a card", _CODE),
    "cvv_code": _of_payment("One-time code for a CVV", _CODE),
    "cvv_link": _of_payment("Link to a CVV", _CODE),
    "approve_code": _elsewhere(
        "One-time code for an approval",
        "If your own address is wrong, ask an operator to change it; then ask for a new code under Approvals.",
    ),
    "sealed_mail": _elsewhere("E-mail that came too late", "It could not be sent in its time: ask for a new one."),
    # What a client should know and can't be told by the same mail a second time.
    "signed_copy": _of_payment(
        "Signed copy to the client",
        "Download the signed authorization in the payment and send it to the client yourself.",
    ),
    "payment_processed": _of_payment("Notice that a payment is done", _TELL),
    "payment_refunded": _of_payment("Notice that money was given back", _TELL),
    "void_notice": _of_payment("Notice that a payment is void", "Tell the client by phone."),
    "esign_copy": _elsewhere(
        "Signed document to the client", "Download it on the booking's page and send it to the client yourself."
    ),
    "insurance_copy": _elsewhere(
        "Signed insurance answer to a passenger",
        "Download it on the booking's page and send it to the passenger yourself.",
    ),
    "visit_copy": _elsewhere(
        "Copies of all that was signed in one visit",
        "Download them on the booking's page and send them to the client yourself.",
    ),
    "document_shared": _elsewhere(
        "Notice of a document", "It stands in the portal: tell the client that it is there, or share it once more."
    ),
    "reminder": _elsewhere(
        "Reminder of a payment",
        "Correct the client's address, then choose Send now beside its date on the booking's page.",
    ),
    "password_reset": _elsewhere(
        "Link for a new password", "Correct the client's address; they can then ask for a new link where they sign in."
    ),
    "portal_sign_in_locked": _elsewhere(
        "Notice that sign-in rests", "The client can sign in again half an hour later. Correct their address."
    ),
    "registration_link": _elsewhere(
        "Link to finish a registration", "Nobody is known by that address: whoever typed it wrongly registers again."
    ),
    "registration_done": _elsewhere(
        "Welcome to a client who registered", "Tell them their username, which stands in their profile."
    ),
    "quote_received": _elsewhere(
        "Word to a visitor that their request is here", "Call them: the address that they typed takes no mail."
    ),
    "standing_order": _elsewhere(
        "Word about a standing order", "It stands in the portal: correct the client's address and tell them yourself."
    ),
    # News for the agent.
    "standing_order_agent": _news("Word about a client's standing order", "It is under Standing orders."),
    "link_sent": _news("Confirmation that a link was sent", "The link itself was sent."),
    "payment_alert": _news("Alert of a payment that waits", "The payment waits in the payment report all the same."),
    "payment_reported": _news(
        "Notice that a client reports a payment", "It stands on your dashboard all the same, to be confirmed."
    ),
    "card_lapsing": _news("Warning that a card lapses", "The payment says until when its card is kept."),
    "card_lapsed": _news("Notice that a card has lapsed", "Ask the client again in the payment."),
    "cvv_resupplied": _news("Notice that the CVV is there again", "The payment shows it."),
    "refund_requested": _news("Request to approve a refund", "It waits under Approvals."),
    "refund_decided": _news("How an admin decided a refund", "It stands in the payment."),
    "refund_failed": _news("Notice that a refund was not made", "It stands on the dashboard and in the payment."),
    "second_reveal_requested": _news("Request to see a card once more", "It waits under Approvals."),
    "second_reveal_decided": _news("Answer about seeing a card once more", "The payment shows the answer."),
    "esign_signed": _news("Notice that a document was signed", "The booking shows it."),
    "insurance_decided": _news("Notice of an insurance answer", "The booking shows it."),
    "client_registered": _news("Notice of a client who registered", "It is among your tasks."),
    "quote_request": _news("Notice of a quote request", "The request is under Quotes."),
    "reminder_test": _news("Test of a reminder", "The preview shows the same text."),
    "support_question": _news("Question to the admins", "It is under Support."),
    "support_answer": _news("Answer to your question", "It is under Support."),
    "sign_in_locked": _news("Notice that your sign-in rests", "You can sign in again half an hour later."),
}


def kind_of(name: str) -> MailKind:
    """An e-mail by its template's name; in general words, one of a newer notifier."""
    words = name.replace("_", " ").strip() or "e-mail"
    return _KINDS.get(name) or _elsewhere(words[:1].upper() + words[1:], "Check the address and do again what sent it.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An e-mail that could not be delivered. `name` is its template's, `link_id` the id of what it was about."""

    id: str
    agent_id: str
    agent_name: str
    name: str
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

    @property
    def can_resend(self) -> bool:
        return self.kind.remedy is Remedy.RESEND and self.settled_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class MailFate:
    """What became of one e-mail. `problem`: why it did not arrive; empty when the recipient's mail server took it."""

    at: datetime
    words: str
    address: str
    problem: str
