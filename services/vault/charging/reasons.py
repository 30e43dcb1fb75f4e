"""Why a charge was declined or not made, in plain words, and what to do next. Pure.

The codes are Stripe's published list (docs.stripe.com/declines/codes), the codes of card errors that come without one
of those (docs.stripe.com/error-codes), the reasons of failed refunds (docs.stripe.com/refunds, "Failed refunds"), and
our own, which adapters of other gateways use too. Issuers ask that a client is not told of a card reported lost, stolen
or suspected of fraud: those words are for the agent, and say so.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """What a code means. `may_retry`: the same card may be charged again without anything else changing."""

    code: str
    words: str
    next_step: str
    may_retry: bool = False


_CALL_BANK: Final = "Ask the client to call their bank, then charge again or ask for another card."
_OTHER_CARD: Final = "Ask the client for another card."
_ASK_AGAIN: Final = "Ask the client for the card again, so that it is typed afresh."
_DISCREET: Final = "Ask the client for another card. Tell them only that the bank declined it, not why."
_SMALLER: Final = "Nothing was charged. Ask for a smaller amount, or for another card."
_LATER: Final = "Charge again in a few minutes. If it is declined again, ask the client to call their bank."
_OURS: Final = "Nothing was charged. Ask your administrator to look at the gateway's settings."


def _bank(code: str, words: str, next_step: str = _CALL_BANK, *, may_retry: bool = False) -> Reason:
    return Reason(code=code, words=words, next_step=next_step, may_retry=may_retry)


_NO_DETAIL: Final = "The client's bank declined the charge and gave no reason."

_PUBLISHED: Final = (
    _bank(
        "authentication_required",
        "The bank wants the client to confirm the charge (3-D Secure).",
        "Charge again; the client gets a link to confirm it with their bank.",
        may_retry=True,
    ),
    _bank("approve_with_id", "The bank could not authorize the charge.", _LATER, may_retry=True),
    _bank("call_issuer", _NO_DETAIL),
    _bank(
        "card_not_supported", "The card can't be used for this kind of purchase.", "Ask the client for another card."
    ),
    _bank("card_velocity_exceeded", "The card has reached the limit that its bank allows in a period."),
    _bank("currency_not_supported", "The card can't be charged in this currency.", _OTHER_CARD),
    _bank("do_not_honor", "The client's bank declined the charge (“do not honour”) and gave no reason."),
    _bank(
        "do_not_try_again", "The client's bank declined the charge and asks not to try this card again.", _OTHER_CARD
    ),
    _bank(
        "duplicate_transaction",
        "A charge of the same amount was made with this card a moment ago.",
        "Look at the gateway's list of charges before you charge again: this one may have been made elsewhere.",
    ),
    _bank("expired_card", "The card has expired.", _OTHER_CARD),
    _bank("fraudulent", "The gateway suspects fraud.", _DISCREET),
    _bank("generic_decline", _NO_DETAIL),
    _bank("incorrect_address", "The billing address doesn't match the one that the bank has.", _ASK_AGAIN),
    _bank("incorrect_cvc", "The CVV is wrong.", "Ask the client for the CVV again."),
    _bank("incorrect_number", "The card number is wrong.", _ASK_AGAIN),
    _bank("incorrect_pin", "The card wants a PIN, which can't be given here.", _OTHER_CARD),
    _bank("incorrect_zip", "The postal code doesn't match the one that the bank has.", _ASK_AGAIN),
    _bank(
        "insufficient_funds",
        "There is not enough money on the card.",
        "Ask the client when to try again, or for another card.",
        may_retry=True,
    ),
    _bank("invalid_account", "The card, or the account behind it, is not valid."),
    _bank("invalid_amount", "The amount is not allowed, or is above what the card may be charged."),
    _bank("invalid_cvc", "The CVV is wrong.", "Ask the client for the CVV again."),
    _bank("invalid_expiry_month", "The expiry month is not valid.", _ASK_AGAIN),
    _bank("invalid_expiry_year", "The expiry year is not valid.", _ASK_AGAIN),
    _bank("invalid_number", "The card number is wrong.", _ASK_AGAIN),
    _bank("invalid_pin", "The card wants a PIN, which can't be given here.", _OTHER_CARD),
    _bank("issuer_not_available", "The client's bank could not be reached.", _LATER, may_retry=True),
    _bank("lost_card", "The card was reported lost.", _DISCREET),
    _bank("merchant_blacklist", "The gateway has this card on your agency's block list.", _DISCREET),
    _bank(
        "mobile_device_authentication_required",
        "The bank wants the client to confirm the charge on their phone.",
        "Charge again; the client gets a link to confirm it with their bank.",
        may_retry=True,
    ),
    _bank("new_account_information_available", "The card, or the account behind it, is not valid any more."),
    _bank("no_action_taken", _NO_DETAIL),
    _bank("not_permitted", "The bank does not permit this charge."),
    _bank("offline_pin_required", "The card wants a PIN, which can't be given here.", _OTHER_CARD),
    _bank("online_or_offline_pin_required", "The card wants a PIN, which can't be given here.", _OTHER_CARD),
    _bank("pickup_card", "The bank wants the card back: it may be lost or stolen.", _DISCREET),
    _bank("pin_try_exceeded", "A wrong PIN was typed too often on this card.", _OTHER_CARD),
    _bank("processing_error", "Something went wrong while the bank worked on the charge.", _LATER, may_retry=True),
    _bank("reenter_transaction", "The bank could not work on the charge.", _LATER, may_retry=True),
    _bank("restricted_card", "The card can't be used for this charge: it may be lost or stolen.", _DISCREET),
    _bank("revocation_of_all_authorizations", "The client told their bank to stop all charges of this kind."),
    _bank("revocation_of_authorization", "The client told their bank to stop this charge."),
    _bank("security_violation", _NO_DETAIL),
    _bank("service_not_allowed", _NO_DETAIL),
    _bank("stolen_card", "The card was reported stolen.", _DISCREET),
    _bank("stop_payment_order", "The client told their bank to stop this payment."),
    _bank(
        "testmode_decline",
        "A test card was used in a live account, or a real card in a test account.",
        "Use a real card with a live account, and a published test card with a test account.",
    ),
    _bank(
        "test_mode_live_card",
        "A real card was used in a test account.",
        "Use a published test card, or have the live key set.",
    ),
    _bank("transaction_not_allowed", "The bank does not allow this charge with this card."),
    _bank(
        "try_again_later", "The client's bank declined the charge for now and gave no reason.", _LATER, may_retry=True
    ),
    _bank("withdrawal_count_limit_exceeded", "The client has reached the limit of their card.", _OTHER_CARD),
)

# Card errors whose `code` says why, without a decline code beside it.
_ERRORS: Final = (
    _bank("card_declined", _NO_DETAIL),
    _bank(
        "card_decline_rate_limit_exceeded",
        "The card was declined too often and can't be charged for now.",
        "Ask the client for another card, or wait a day.",
    ),
    _bank(
        "payment_intent_authentication_failure",
        "The client did not confirm the charge with their bank, or the bank did not accept it.",
        "Charge again; the client gets a link to confirm it with their bank.",
        may_retry=True,
    ),
    _bank("incorrect_postal_code", "The postal code doesn't match the one that the bank has.", _ASK_AGAIN),
    _bank("charge_exceeds_transaction_limit", "The amount is above what may be charged at once.", _SMALLER),
    _bank("charge_exceeds_source_limit", "The amount is above what may be charged to this card for now.", _SMALLER),
)

_STILL_THERE: Final = "Nothing was given back. Look at the charge at the gateway."
_BY_OTHER_WAYS: Final = "Nothing was given back. Give the money back another way, such as by bank transfer."

# Why a refund was not made, or failed after it was accepted.
_REFUNDS: Final = (
    _bank("refund_refused", "The gateway did not make this refund.", _STILL_THERE),
    _bank("refund_charge_already_refunded", "There is nothing left of this charge to give back.", _STILL_THERE),
    _bank(
        "refund_charge_disputed",
        "The client disputes this charge with their bank, so it can't be refunded.",
        "Nothing was given back. Answer the dispute at the gateway.",
    ),
    _bank(
        "refund_balance_insufficient",
        "Your account at the gateway has not enough money for this refund.",
        "Nothing was given back. Add money to the account there, then refund again.",
    ),
    _bank(
        "refund_lost_or_stolen_card",
        "The client's card is not valid any more, so the refund came back.",
        _BY_OTHER_WAYS,
    ),
    _bank("refund_expired_or_canceled_card", "The client's card has ended, so the refund came back.", _BY_OTHER_WAYS),
    _bank(
        "refund_charge_for_pending_refund_disputed",
        "The client disputed the charge before the refund arrived, so it was stopped.",
        "Nothing was given back. Answer the dispute at the gateway.",
    ),
    _bank(
        "refund_insufficient_funds",
        "Your account at the gateway had not enough money for this refund.",
        "Nothing was given back. Add money to the account there, then refund again.",
    ),
    _bank(
        "refund_not_settled",
        "The charge has not settled yet, so a part of it can't be given back now.",
        "Nothing was given back. Refund it tomorrow, or refund all of it now.",
    ),
    _bank("refund_declined", "The client's bank did not take the refund.", _BY_OTHER_WAYS),
    _bank("refund_merchant_request", "The refund was cancelled at the gateway.", _STILL_THERE),
    _bank("refund_unknown", "The refund came back, and the gateway does not know why.", _BY_OTHER_WAYS),
)

_OWN: Final = (
    Reason(
        code="never_arrived",
        words="The gateway never got this charge, and it can't happen any more.",
        next_step="Nothing was charged. Charge again.",
        may_retry=True,
    ),
    Reason(
        code="left_account",
        words="This was charged at a gateway account that your agency has left, so nothing can be done with it here.",
        next_step="Give money back on the gateway's own site, signed in to that account.",
    ),
    Reason(
        code="left_account_refund",
        words="It was under way when your agency left this gateway account. How it ends is shown on the gateway's own "
        "site, signed in to that account.",
        next_step="Look there, and tell the client.",
    ),
    Reason(
        code="gateway_down",
        words="The gateway can't be reached right now.",
        next_step="Nothing was charged. Charge again in a few minutes.",
        may_retry=True,
    ),
    Reason(
        code="vault_busy",
        words="The card could not be opened just now.",
        next_step="Nothing was charged. Charge again in a moment.",
        may_retry=True,
    ),
    Reason(
        code="cancelled_at_gateway",
        words="The charge was cancelled at the gateway.",
        next_step="Nothing was charged. Charge again if it is still wanted.",
        may_retry=True,
    ),
    Reason(
        code="hosted_page",
        words="Your agency's account takes no card numbers from elsewhere.",
        next_step="The client types the card on the gateway's page; the link is mailed to them.",
    ),
    Reason(
        code="page_expired",
        words="The client did not complete the gateway's page in time.",
        next_step="Nothing was charged. Charge again to get a fresh page.",
        may_retry=True,
    ),
    Reason(
        code="mandates_not_offered",
        words="Your agency's gateway is not one that keeps cards for standing orders here.",
        next_step="Nothing was charged. Send a payment link for each payment.",
    ),
    Reason(
        code="mandate_gone",
        words="The gateway does not keep the client's card any more.",
        next_step=_OTHER_CARD,
    ),
    Reason(code="gateway_key_refused", words="The gateway does not accept your agency's key.", next_step=_OURS),
    Reason(
        code="gateway_key_limited",
        words="Your agency's key lacks a right at the gateway that is needed here.",
        next_step=_OURS,
    ),
    Reason(
        code="amount_refused",
        words="The gateway does not charge this amount.",
        next_step="Nothing was charged. Your agency's account wants another amount: it is too little or too much.",
    ),
    Reason(code="gateway_refused", words="The gateway does not accept this charge.", next_step=_OURS),
    Reason(
        code="raw_cards_refused", words="Your agency's account takes no card numbers from elsewhere.", next_step=_OURS
    ),
)

# What may pass by itself, so that a standing order tries the same card again on a later day. Everything else that a
# bank says is final for a card that its holder is not there to give: cards networks charge for trying those again
# (docs.stripe.com/declines/codes; Visa's categories 2 and 3, Mastercard's merchant advice 02, 24 to 30).
PASSING: Final = frozenset(
    {
        "approve_with_id", "card_decline_rate_limit_exceeded", "card_declined", "card_velocity_exceeded",
        "do_not_honor", "generic_decline", "insufficient_funds", "issuer_not_available", "processing_error",
        "reenter_transaction", "try_again_later", "withdrawal_count_limit_exceeded",
    }
)  # fmt: skip

REASONS: Final[dict[str, Reason]] = {reason.code: reason for reason in (*_PUBLISHED, *_ERRORS, *_REFUNDS, *_OWN)}


def refund_code(code: str) -> str:
    """What a gateway said of a refund, as one of ours: the same word means something else of a charge."""
    return f"refund_{code}" if f"refund_{code}" in REASONS else "refund_refused"


def reason_of(code: str) -> Reason:
    """The words of a code; one that is not on the list reads as a decline without a reason."""
    return REASONS.get(code) or Reason(code=code, words=_NO_DETAIL, next_step=_CALL_BANK)
