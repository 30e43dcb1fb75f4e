"""States of charges and refunds."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.vault.charging.rules import (
    ASK_AGAIN_MOST,
    MOVES,
    OPEN,
    STANDING,
    ChargeState,
    ask_again_in,
    refund_refusal,
    sources,
)


def test_what_is_over_stays_over() -> None:
    over = set(ChargeState) - OPEN - {ChargeState.SUCCEEDED}
    assert all(not MOVES[state] for state in over)
    assert set(MOVES) == set(ChargeState)


def test_no_card_leaves_before_asking_is_on_record() -> None:
    assert sources(ChargeState.SUCCEEDED) == (ChargeState.ASKING, ChargeState.NEEDS_CLIENT)
    assert sources(ChargeState.ASKING) == (ChargeState.INTENT,)


def test_only_what_is_known_not_to_be_lets_a_payment_be_charged_again() -> None:
    assert set(ChargeState) - STANDING == {ChargeState.DECLINED, ChargeState.FAILED, ChargeState.VOIDED}


@given(st.integers(0, 10_000))
def test_the_poller_waits_longer_each_time_and_never_gives_up(asked: int) -> None:
    assert timedelta() < ask_again_in(asked) <= ask_again_in(asked + 1) <= ASK_AGAIN_MOST


@given(st.integers(1, 10**9), st.lists(st.integers(-5, 10**9), max_size=20))
def test_refunds_that_are_let_through_never_add_up_to_more_than_was_charged(charged: int, wanted: list[int]) -> None:
    refunded = 0
    for amount in wanted:
        if refund_refusal(ChargeState.SUCCEEDED, charged=charged, refunded=refunded, wanted=amount) is None:
            assert amount > 0
            refunded += amount
    assert refunded <= charged


@pytest.mark.parametrize("state", sorted(set(ChargeState) - {ChargeState.SUCCEEDED}))
def test_what_was_not_charged_is_not_refunded(state: ChargeState) -> None:
    assert refund_refusal(state, charged=100, refunded=0, wanted=1) is not None
