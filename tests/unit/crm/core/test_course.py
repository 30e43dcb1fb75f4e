"""The course that links, documents to sign and insurance offers take: what a client answered, nothing undoes."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.crm.core.course import Course, Fact
from services.crm.paying.links.rules import COURSE as LINK
from services.crm.paying.links.rules import LinkState
from services.crm.signing.esign.rules import COURSE as DOCUMENT
from services.crm.signing.insurance.rules import COURSE as OFFER
from services.crm.signing.insurance.rules import OfferState

COURSES: list[Course[Any]] = [LINK, DOCUMENT, OFFER]
NOW = datetime(2026, 11, 27, tzinfo=UTC)
courses = st.sampled_from(COURSES)


def _path(course: Course[Any], happened: list[Fact | int]) -> list[StrEnum]:
    """The states that a request goes through; a number stands for one of the client's answers."""
    answers = sorted(course.answers)
    path = [course.issued]
    for each in happened:
        state = path[-1]
        if isinstance(each, Fact):
            path.append(course.after(state, each) or state)
        else:
            path.append(course.answered(state, answers[each % len(answers)]) or state)
    return path


happenings = st.lists(st.one_of(st.sampled_from(Fact), st.integers(0, 1)), max_size=12)


@given(courses, happenings)
def test_an_answer_stays_whatever_comes_later(course: Course[Any], happened: list[Fact | int]) -> None:
    path = _path(course, happened)
    answered = [state for state in path if state in course.answers]
    assert answered == answered[:1] * len(answered)
    assert path[len(path) - len(answered) :] == answered


@given(courses, st.lists(st.sampled_from(Fact), max_size=12))
def test_an_answer_that_the_client_saw_accepted_is_taken_whatever_crossed_it(
    course: Course[Any], happened: list[Fact]
) -> None:
    state = _path(course, list(happened))[-1]
    assert all(course.answered(state, answer) is answer for answer in course.answers)


@given(courses, st.lists(st.sampled_from(Fact), max_size=12))
def test_what_was_withdrawn_waits_for_nobody_any_more(course: Course[Any], happened: list[Fact]) -> None:
    path = _path(course, list(happened))
    if course.withdrawn in path:
        assert set(path[path.index(course.withdrawn) :]) == {course.withdrawn}


@pytest.mark.parametrize("course", COURSES)
def test_a_reminder_begins_anew_but_for_who_has_opened_it(course: Course[Any]) -> None:
    assert course.after(course.expired, Fact.REMINDED) is course.issued
    assert course.after(course.sent, Fact.REMINDED) is course.issued
    if course.opened is not None:
        assert course.after(course.opened, Fact.REMINDED) is course.opened


@pytest.mark.parametrize("course", COURSES)
def test_an_opening_may_be_told_before_the_mail_that_led_to_it(course: Course[Any]) -> None:
    assert course.after(course.issued, Fact.OPENED) is course.opened
    if course.opened is not None:
        assert course.after(course.opened, Fact.DELIVERED) is None


@pytest.mark.parametrize("course", COURSES)
def test_only_what_waits_expires_and_at_its_end(course: Course[Any]) -> None:
    for state in type(course.issued):
        waits = state in course.waiting
        assert (course.after(state, Fact.EXPIRED) is course.expired) == waits
        assert course.is_over(state, expires_at=NOW, now=NOW) == waits
        assert not course.is_over(state, expires_at=NOW + timedelta(seconds=1), now=NOW)


def test_a_state_that_is_no_answer_answers_nothing() -> None:
    assert LINK.answered(LinkState.SENT, LinkState.EXPIRED) is None
    assert OFFER.answered(OfferState.ACCEPTED, OfferState.DECLINED) is None
