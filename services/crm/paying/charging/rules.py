"""When a payment may be charged by the agency itself, and refunded. Pure."""

from datetime import timedelta
from typing import Final

from chassis.money import Money
from services.crm.paying.payments.rules import Allowed, Decision, Fact, PaymentState, Refused, after

# How long after asking a charge that charging has never heard of counts as never asked: its call has ended by then.
NEVER_ARRIVED_AFTER: Final = timedelta(minutes=2)
# How long the letter with a link to the bank may wait to be sent: the bank's page ends within a day.
LINK_GOOD_FOR: Final = timedelta(days=1)
CHECK_EVERY: Final = timedelta(seconds=5)
_GATEWAYS: Final = {"stripe": "Stripe", "authorizenet": "Authorize.Net"}


def gateway_name(gateway: str) -> str:
    """What the gateway calls itself."""
    return _GATEWAYS.get(gateway, gateway)


def may_charge(state: PaymentState, *, to_agency: bool, card_held: bool) -> Decision:
    """Whether the agent may have this payment's card charged."""
    if not to_agency:
        return Refused(why="This payment is to a supplier, who charges the card. Retrieve it instead.")
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
