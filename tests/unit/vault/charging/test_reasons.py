"""Every code of Stripe's published list has words (docs.stripe.com/declines/codes)."""

import pytest

from services.vault.charging.reasons import REASONS, reason_of
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
    "testmode_decline",
    "transaction_not_allowed",
    "try_again_later",
    "withdrawal_count_limit_exceeded",
]


@pytest.mark.parametrize("code", PUBLISHED)
def test_a_published_code_has_words_and_a_next_step(code: str) -> None:
    reason = REASONS[code]

    assert reason.words.endswith(".")
    assert reason.next_step.endswith(".")
    assert code not in f"{reason.words} {reason.next_step}"


def test_a_code_that_nobody_has_heard_of_still_reads_as_a_decline() -> None:
    assert "declined" in reason_of("issuer_on_holiday").words


@pytest.mark.parametrize("code", ["lost_card", "stolen_card", "pickup_card", "fraudulent", "merchant_blacklist"])
def test_the_agent_is_asked_not_to_tell_the_client_of_a_suspicion(code: str) -> None:
    assert "not why" in REASONS[code].next_step


def test_every_decline_of_the_test_cards_is_on_the_list() -> None:
    assert {decline_code for _, decline_code in DECLINES.values()} <= set(PUBLISHED)
