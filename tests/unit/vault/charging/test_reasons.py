"""Every code of Stripe's published list has words (docs.stripe.com/declines/codes)."""

import inspect

import pytest
from stripe import PaymentIntent

from services.vault.charging.reasons import REASONS, reason_of, refund_code
from tests.support.gateway_sim import DECLINES

PUBLISHED = [
    "authentication_required",
    "approve_with_id",
    "call_issuer",
    "card_not_supported",
    "card_velocity_exceeded",
    "currency_not_supported",
    "do_not_honor",
    "do_not_try_again",
    "duplicate_transaction",
    "expired_card",
    "fraudulent",
    "generic_decline",
    "incorrect_address",
    "incorrect_cvc",
    "incorrect_number",
    "incorrect_pin",
    "incorrect_zip",
    "insufficient_funds",
    "invalid_account",
    "invalid_amount",
    "invalid_cvc",
    "invalid_expiry_month",
    "invalid_expiry_year",
    "invalid_number",
    "invalid_pin",
    "issuer_not_available",
    "lost_card",
    "merchant_blacklist",
    "mobile_device_authentication_required",
    "new_account_information_available",
    "no_action_taken",
    "not_permitted",
    "offline_pin_required",
    "online_or_offline_pin_required",
    "pickup_card",
    "pin_try_exceeded",
    "processing_error",
    "reenter_transaction",
    "restricted_card",
    "revocation_of_all_authorizations",
    "revocation_of_authorization",
    "security_violation",
    "service_not_allowed",
    "stolen_card",
    "stop_payment_order",
    "test_mode_live_card",
    "testmode_decline",
    "transaction_not_allowed",
    "try_again_later",
    "withdrawal_count_limit_exceeded",
]


# Codes of card errors that come without a decline code (docs.stripe.com/error-codes, type card_error); the library's
# own list of codes is checked below to have them still.
CARD_ERRORS = [
    "authentication_required",
    "card_decline_rate_limit_exceeded",
    "card_declined",
    "charge_exceeds_source_limit",
    "charge_exceeds_transaction_limit",
    "expired_card",
    "incorrect_address",
    "incorrect_cvc",
    "incorrect_number",
    "incorrect_zip",
    "insufficient_funds",
    "invalid_cvc",
    "invalid_expiry_month",
    "invalid_expiry_year",
    "invalid_number",
    "payment_intent_authentication_failure",
    "processing_error",
]
# docs.stripe.com/refunds, "Failed refunds": `failure_reason`.
FAILED_REFUNDS = [
    "charge_for_pending_refund_disputed",
    "declined",
    "expired_or_canceled_card",
    "insufficient_funds",
    "lost_or_stolen_card",
    "merchant_request",
    "unknown",
]


@pytest.mark.parametrize("code", [*PUBLISHED, *CARD_ERRORS, *map(refund_code, FAILED_REFUNDS)])
def test_a_published_code_has_words_and_a_next_step(code: str) -> None:
    reason = REASONS[code]

    assert reason.words.endswith(".")
    assert reason.next_step.endswith(".")
    assert code not in f"{reason.words} {reason.next_step}"


def test_stripes_library_has_the_card_errors_that_have_words() -> None:
    described = inspect.getsource(inspect.getmodule(PaymentIntent) or pytest.fail("no module"))
    assert not [code for code in CARD_ERRORS if f'"{code}"' not in described]


def test_what_went_wrong_with_a_refund_is_never_told_as_if_the_charge_had_been_declined() -> None:
    assert len({refund_code(code) for code in FAILED_REFUNDS}) == len(FAILED_REFUNDS)
    assert refund_code("insufficient_funds") != "insufficient_funds"
    assert "Your account" in REASONS[refund_code("insufficient_funds")].words
    assert REASONS[refund_code("something_new")].next_step.startswith("Nothing was given back")


def test_a_code_that_nobody_has_heard_of_still_reads_as_a_decline() -> None:
    assert "declined" in reason_of("issuer_on_holiday").words


@pytest.mark.parametrize("code", ["lost_card", "stolen_card", "pickup_card", "fraudulent", "merchant_blacklist"])
def test_the_agent_is_asked_not_to_tell_the_client_of_a_suspicion(code: str) -> None:
    assert "not why" in REASONS[code].next_step


def test_every_decline_of_the_test_cards_is_on_the_list() -> None:
    assert {decline_code for _, decline_code in DECLINES.values()} <= set(PUBLISHED)
