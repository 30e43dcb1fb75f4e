"""Laws of a profile that two sides change."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.portal.profile.rules import (
    FIELDS,
    Address,
    FamilyMember,
    Held,
    Occasion,
    Profile,
    Relation,
    changed_fields,
)
from services.portal.profile.wire import read_profile, write_profile

START = datetime(2026, 11, 21, 12, tzinfo=UTC)
GRACE = Profile(first_name="Grace", last_name="Hopper", email="grace@client.example")
_TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)
_DAYS = st.dates(date(1900, 1, 1), date(2026, 1, 1))
_PROFILES = st.builds(
    Profile,
    first_name=_TEXTS,
    last_name=_TEXTS,
    email=_TEXTS,
    phone=_TEXTS,
    address=st.builds(Address, street=_TEXTS, city=_TEXTS),
    birthday=st.none() | _DAYS,
    family=st.lists(
        st.builds(
            FamilyMember,
            id=st.uuids().map(str),
            first_name=_TEXTS,
            last_name=_TEXTS,
            relation=st.sampled_from(Relation),
            born_on=st.none() | _DAYS,
        ),
        max_size=3,
    ).map(tuple),
    occasions=st.lists(
        st.builds(Occasion, id=st.uuids().map(str), label=_TEXTS, on=_DAYS, year_known=st.just(True)), max_size=3
    ).map(tuple),
)


@given(_PROFILES)
def test_a_profile_reads_back_from_the_wire_as_it_was_written(profile: Profile) -> None:
    assert read_profile(write_profile("cli_1", profile)) == profile


@given(_PROFILES, _PROFILES)
def test_what_the_client_wrote_shows_at_once(old: Profile, new: Profile) -> None:
    held = Held(shown=old).change(new, START)
    assert held.shown == new
    assert set(held.pending) == set(changed_fields(old, new))


@given(_PROFILES, _PROFILES, _PROFILES)
def test_a_word_from_before_her_change_does_not_take_it_from_her_eyes(
    old: Profile, new: Profile, told: Profile
) -> None:
    held = Held(shown=old).change(new, START)
    changed = changed_fields(old, new)
    heard = held.hear(told, dict.fromkeys((*FIELDS, *changed), START - timedelta(seconds=1)))
    for name in FIELDS:
        expected = new if name in changed else told
        assert getattr(heard.shown, name) == getattr(expected, name)
    # What they wrote is there, what they took away is not, and what only their agent added is there too.
    assert set(heard.shown.family) == set(new.family) | set(told.family)
    assert set(heard.shown.occasions) == set(new.occasions) | set(told.occasions)


@given(_PROFILES, _PROFILES, _PROFILES)
def test_the_crms_answer_is_the_last_word(old: Profile, new: Profile, told: Profile) -> None:
    held = Held(shown=old).change(new, START)
    heard = held.hear(told, dict.fromkeys((*FIELDS, *held.pending), START))
    assert heard.shown == told
    assert heard.pending == {}


@given(_PROFILES, _PROFILES, _PROFILES, st.integers(-2, 2))
def test_hearing_the_same_twice_is_hearing_it_once(old: Profile, new: Profile, told: Profile, seconds: int) -> None:
    times = dict.fromkeys((*FIELDS, *changed_fields(old, new)), START + timedelta(seconds=seconds))
    once = Held(shown=old).change(new, START).hear(told, times)
    assert once.hear(told, times) == once


def test_what_the_crm_holds_by_another_road_waits_for_no_answer() -> None:
    changed = replace(GRACE, phone="+1 212 555 0100")
    assert Held(shown=GRACE).change(changed, START).hear(changed, {}).pending == {}
