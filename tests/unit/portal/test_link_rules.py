"""Laws of payment authorization links."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.portal.course import Fact
from services.portal.links.rules import (
    COURSE,
    Claim,
    LinkState,
    LinkStatus,
    SubmissionDecision,
    decide_submission,
    status_of,
)

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
states = st.sampled_from(LinkState)
facts = st.lists(st.sampled_from(Fact), max_size=12)
offsets = st.integers(-100_000, 100_000).map(lambda seconds: NOW + timedelta(seconds=seconds))


def after(told: list[Fact]) -> LinkState:
    state = LinkState.ISSUED
    for fact in told:
        state = COURSE.after(state, fact)
    return state


@given(states, st.sampled_from(Fact))
def test_every_fact_has_an_answer_in_every_state_and_telling_it_twice_changes_nothing_more(
    state: LinkState, fact: Fact
) -> None:
    once = COURSE.after(state, fact)
    assert COURSE.after(once, fact) is once


@given(facts)
def test_a_submitted_link_stays_submitted_whatever_comes_after(told: list[Fact]) -> None:
    assert (after(told) is LinkState.SUBMITTED) == (Fact.ANSWERED in told)


@given(facts)
def test_a_revoked_link_is_opened_by_nothing_but_a_submission_that_was_under_way(told: list[Fact]) -> None:
    if Fact.WITHDRAWN in told and Fact.ANSWERED not in told:
        assert after(told) is LinkState.REVOKED


@given(states, offsets, offsets)
def test_only_an_unsubmitted_unrevoked_link_before_its_time_is_open(
    state: LinkState, expires_at: datetime, now: datetime
) -> None:
    open_now = status_of(state, expires_at=expires_at, now=now) is LinkStatus.OPEN
    assert open_now == (state in (LinkState.ISSUED, LinkState.OPENED) and now < expires_at)


@given(states, offsets, offsets, st.none() | offsets)
def test_a_submission_goes_ahead_only_on_an_open_link_that_nobody_else_holds(
    state: LinkState, expires_at: datetime, now: datetime, until: datetime | None
) -> None:
    claim = None if until is None else Claim(attempt_id="a", until=until)
    decision = decide_submission(state, expires_at=expires_at, claim=claim, now=now)
    held = until is not None and until > now
    is_open = status_of(state, expires_at=expires_at, now=now) is LinkStatus.OPEN
    assert (decision is SubmissionDecision.GO) == (is_open and not held)
    assert (decision is SubmissionDecision.UNDER_WAY) == (is_open and held)
