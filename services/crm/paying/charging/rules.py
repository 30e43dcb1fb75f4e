"""When a payment may be charged by the agency itself. Pure."""

from datetime import timedelta
from typing import Final

from services.crm.paying.payments.rules import Allowed, Decision, Fact, PaymentState, Refused, after

# How long after asking a charge that charging has never heard of counts as never asked: its call has ended by then.
NEVER_ARRIVED_AFTER: Final = timedelta(minutes=2)
CHECK_EVERY: Final = timedelta(seconds=5)


def may_charge(state: PaymentState, *, to_agency: bool, card_held: bool) -> Decision:
    """Whether the agent may have this payment's card charged."""
    if not to_agency:
        return Refused(why="This payment is to a supplier, who charges the card. Retrieve it instead.")
    if not after(state, Fact.CHARGED):
        return Refused(why="Only a payment that the client has authorized can be charged.")
    if not card_held:
        return Refused(why="The card of this payment is not in the vault any more. Ask the client again.")
    return Allowed()
