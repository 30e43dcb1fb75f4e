"""When a payment may be charged by the agency itself, and refunded. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from chassis.money import Money
from services.crm.core.ports.charging import RefundState
from services.crm.paying.payments.rules import Allowed, Decision, Fact, PaymentState, Refused, after

# How long after asking a charge that charging has never heard of counts as never asked: its call has ended by then.
NEVER_ARRIVED_AFTER: Final = timedelta(minutes=2)
# How long the letter with a link to the bank may wait to be sent: the bank's page ends within a day.
LINK_GOOD_FOR: Final = timedelta(days=1)
CHECK_EVERY: Final = timedelta(seconds=5)
# A refund that left may come back for so long (docs.stripe.com/refunds, "Failed refunds"), which a gateway's message
# tells; the worker looks in case it got lost.
MAY_COME_BACK_FOR: Final = timedelta(days=30)
LOOK_AGAIN_EVERY: Final = timedelta(days=1)
# The code of a charge that charging refused because the card is not there any more.
CARD_GONE: Final = "card_gone"
GATEWAYS: Final = {"stripe": "Stripe", "authorizenet": "Authorize.Net"}


def look_at_refund_again(state: RefundState, *, asked_at: datetime, now: datetime) -> datetime | None:
    """When charging is asked about a refund again; None when nothing more can become of it."""
    match state:
        case RefundState.ASKING | RefundState.PENDING:
            return now + CHECK_EVERY
        case RefundState.SUCCEEDED:
            return now + LOOK_AGAIN_EVERY if now - asked_at < MAY_COME_BACK_FOR else None
        case RefundState.FAILED:
            return None


class RequestState(StrEnum):
    """Where a refund stands that another admin has to approve."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"
    # The agent took it back.
    WITHDRAWN = "withdrawn"


def gateway_name(gateway: str) -> str:
    """What the gateway calls itself."""
    return GATEWAYS.get(gateway, gateway)


def may_charge(state: PaymentState, *, to_agency: bool, card_held: bool) -> Decision:
    """Whether the agent may have this payment's card charged."""
    if not to_agency:
        return Refused(why="This payment is to a supplier, who charges the card. Retrieve it instead.")
    if state is PaymentState.SCHEDULED:
        return Refused(why="This payment is charged by its standing order, on its day.")
    if not after(state, Fact.CHARGED):
        return Refused(why="Only a payment that the client has authorized can be charged.")
    if not card_held:
        return Refused(why="The card of this payment is not in the vault any more. Ask the client again.")
    return Allowed()


def refund_refusal(*, left_minor: int, wanted: Money, news: bool, unanswered: bool) -> str:
    """What speaks against giving `wanted` back, in words; empty when nothing does.

    `news`: refunds were asked for that the page didn't show. `unanswered`: it is not known yet what became of one.
    """
    if unanswered:
        return "A refund is under way, and it is being found out how it ended. Wait until this page shows it."
    if news:
        return (
            "Another refund was asked for meanwhile; this page shows it now. Refund again only if that is still wanted."
        )
    if wanted.minor <= 0:
        return "Enter an amount above zero."
    if left_minor <= 0:
        return "This charge has been refunded in full."
    if wanted.minor > left_minor:
        left = Money(minor=left_minor, currency=wanted.currency)
        return f"That is more than what is left of this charge: {left.format()}."
    return ""


def needs_approval(limit: int | None, *, given_minor: int, wanted: Money) -> bool:
    """Whether another admin has to approve a refund. `limit`: in whole units of the currency; None = nobody has to.
    `given_minor`: what was given back of the charge before without one, so that many small refunds are one large."""
    return limit is not None and Money(minor=given_minor + wanted.minor, currency=wanted.currency).decimal > limit


def decision_refusal(state: RequestState, *, by_asker: bool) -> str:
    """What speaks against an admin's deciding a request, in words; empty when nothing does."""
    if by_asker:
        return "You asked for this refund yourself. Another admin has to decide it."
    if state is not RequestState.REQUESTED:
        return f"This refund was {_DECIDED[state]} already. There is nothing left to decide."
    return ""


_DECIDED: Final = {
    RequestState.APPROVED: "approved",
    RequestState.REFUSED: "refused",
    RequestState.WITHDRAWN: "taken back by its agent",
}
