"""Laws of what a client is told of their payment."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.portal.payments.rules import PaymentFacts, PaymentState, Step, card_gone_at, state_of, timeline

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
moments = st.none() | st.integers(0, 10_000).map(lambda minutes: START + timedelta(minutes=minutes))
any_facts = st.builds(
    PaymentFacts,
    authorized_at=moments,
    retrieved_at=moments,
    processed_at=moments,
    voided_at=moments,
    lapsed_at=moments,
    card_removed_at=moments,
)


@given(any_facts)
def test_a_closed_payment_is_never_shown_as_open(facts: PaymentFacts) -> None:
    closed = facts.processed_at or facts.voided_at or facts.lapsed_at
    shown_open = state_of(facts) in (PaymentState.REQUESTED, PaymentState.AUTHORIZED, PaymentState.RETRIEVED)
    assert shown_open == (closed is None)


@given(any_facts)
def test_the_timeline_is_in_order_and_says_nothing_twice(facts: PaymentFacts) -> None:
    entries = timeline(facts)
    assert [entry.at for entry in entries] == sorted(entry.at for entry in entries)
    assert len({entry.step for entry in entries}) == len(entries)
    assert {Step.LAPSED, Step.DELETED} - {entry.step for entry in entries}


@given(any_facts)
def test_the_card_is_said_to_be_gone_exactly_when_a_removal_or_a_lapse_was_told(facts: PaymentFacts) -> None:
    assert (card_gone_at(facts) is None) == (facts.card_removed_at is None and facts.lapsed_at is None)
