"""When a payment may be closed. Pure."""

from services.crm.paying.payments.rules import Allowed, Decision, Fact, PaymentState, Refused, after


def may_process(state: PaymentState) -> Decision:
    """Whether the agent may say that the supplier charged the card."""
    if after(state, Fact.PROCESSED):
        return Allowed()
    if state is PaymentState.AUTHORIZED:
        return Refused(why="The card has not been retrieved yet, so the supplier can't have charged it.")
    return Refused(why=_why_not(state))


def may_void(state: PaymentState) -> Decision:
    """Whether the agent may give the payment up."""
    if state is PaymentState.SCHEDULED:
        return Refused(why="Its standing order charges this payment. Pause or cancel the standing order instead.")
    if after(state, Fact.VOIDED):
        return Allowed()
    if state in (PaymentState.REQUESTED, PaymentState.OPENED):
        return Refused(why="The client has not authorized this payment yet. Revoke its link instead.")
    return Refused(why=_why_not(state))


def may_ask_again(state: PaymentState) -> Decision:
    """Whether a new link may take this payment's place: it ended without a charge."""
    if state in (PaymentState.VOIDED, PaymentState.LAPSED, PaymentState.EXPIRED, PaymentState.REVOKED):
        return Allowed()
    if state is PaymentState.PROCESSED:
        return Refused(why="This payment was processed, so there is nothing to ask for again.")
    return Refused(why="This payment is still open. Void it first, or send its link again.")


def _why_not(state: PaymentState) -> str:
    return {
        PaymentState.PROCESSED: "This payment is already marked as processed.",
        PaymentState.VOIDED: "This payment is already void.",
        PaymentState.LAPSED: "The card of this payment lapsed and was destroyed; the payment is over.",
        PaymentState.EXPIRED: "The link of this payment expired before the client used it.",
        PaymentState.REVOKED: "The link of this payment was revoked before the client used it.",
    }.get(state, "The client has not authorized this payment yet.")
