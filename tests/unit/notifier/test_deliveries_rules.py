"""The delivery's state machine and its pauses."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.notifier.deliveries.rules import (
    PAUSES,
    TRANSITIONS,
    Deferred,
    DeliveryState,
    Outcome,
    Refused,
    Sent,
    after_try,
    mask_address,
    may,
)

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
outcomes: st.SearchStrategy[Outcome] = st.one_of(
    st.just(Sent()), st.builds(Deferred, reason=st.text()), st.builds(Refused, reason=st.text())
)


@given(outcome=outcomes, attempts=st.integers(1, 40))
def test_every_try_ends_in_a_step_that_the_state_machine_has(outcome: Outcome, attempts: int) -> None:
    following = after_try(outcome, attempts=attempts, now=NOW, expires_at=None)

    assert may(DeliveryState.IN_FLIGHT, following.state)
    assert (following.next_attempt_at is not None) == (following.state is DeliveryState.QUEUED)


@given(st.sampled_from(sorted(DeliveryState)), st.sampled_from(sorted(DeliveryState)))
def test_nothing_leaves_a_final_state(current: DeliveryState, following: DeliveryState) -> None:
    if not TRANSITIONS[current]:
        assert not may(current, following)


def test_pauses_grow_and_the_last_refusal_is_final() -> None:
    assert list(PAUSES) == sorted(PAUSES)
    assert sum(PAUSES, timedelta()) > timedelta(hours=20)
    last = after_try(Deferred(reason="busy"), attempts=len(PAUSES) + 1, now=NOW, expires_at=None)
    assert last.state is DeliveryState.FAILED
    assert last.reason == "busy"


@given(attempts=st.integers(1, len(PAUSES)), seconds=st.integers(0, 100_000))
def test_no_try_is_planned_after_what_the_mail_carries_has_expired(attempts: int, seconds: int) -> None:
    expires_at = NOW + timedelta(seconds=seconds)
    following = after_try(Deferred(reason="away"), attempts=attempts, now=NOW, expires_at=expires_at)

    if following.next_attempt_at is not None:
        assert following.next_attempt_at < expires_at


def test_a_masked_address_keeps_one_letter_and_the_domain() -> None:
    assert mask_address("maya@harbour.example") == "m***@harbour.example"
    assert mask_address("nonsense") == "***"
