"""The delivery's state machine and its pauses."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.notifier.deliveries.rules import (
    FAULT_TRIES,
    PAUSES,
    TRANSITIONS,
    Deferred,
    DeliveryState,
    Outcome,
    Refused,
    Sent,
    Stumbled,
    after_try,
    mask_address,
    may,
)

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
outcomes: st.SearchStrategy[Outcome] = st.one_of(
    st.just(Sent()), *(st.builds(kind, reason=st.text()) for kind in (Deferred, Stumbled, Refused))
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
    assert last.reason == "busy It was tried 13 times within 24 hours. It was given up."


@given(outcomes)
def test_nothing_is_tried_without_end_and_a_fault_of_ours_only_a_few_times(outcome: Outcome) -> None:
    tries = next(
        number
        for number in range(1, len(PAUSES) + 3)
        if after_try(outcome, attempts=number, now=NOW, expires_at=None).state is not DeliveryState.QUEUED
    )
    assert tries == {Sent: 1, Refused: 1, Stumbled: FAULT_TRIES, Deferred: len(PAUSES) + 1}[type(outcome)]


def test_the_reason_says_how_hard_it_was_tried() -> None:
    final = after_try(Refused(reason="It answered 550."), attempts=1, now=NOW, expires_at=None)
    assert final.reason == "It answered 550."
    expiring = after_try(Deferred(reason="Away."), attempts=1, now=NOW, expires_at=NOW)
    assert expiring.reason == "Away. It was tried once. What it carried expires before the next try."
    fault = after_try(Stumbled(reason="A fault."), attempts=FAULT_TRIES, now=NOW, expires_at=None)
    assert fault.reason == "A fault. It was tried 6 times within 6 minutes. It was given up."


@given(attempts=st.integers(1, len(PAUSES)), seconds=st.integers(0, 100_000))
def test_no_try_is_planned_after_what_the_mail_carries_has_expired(attempts: int, seconds: int) -> None:
    expires_at = NOW + timedelta(seconds=seconds)
    following = after_try(Deferred(reason="away"), attempts=attempts, now=NOW, expires_at=expires_at)

    if following.next_attempt_at is not None:
        assert following.next_attempt_at < expires_at


def test_a_masked_address_keeps_one_letter_and_the_domain() -> None:
    assert mask_address("maya@harbour.example") == "m***@harbour.example"
    assert mask_address("nonsense") == "***"
