from hypothesis import given
from hypothesis import strategies as st

from services.crm.sales.portal_access.rules import (
    USERNAME_MAX,
    USERNAME_MIN,
    AccessFact,
    AccessState,
    after,
    suggested_username,
    username_error,
    username_key,
)


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_suggested_username_is_a_good_one_or_none(first: str, last: str) -> None:
    name = suggested_username(first, last)
    assert name == "" or username_error(name) is None


@given(st.text(max_size=80))
def test_a_good_username_is_plain_and_of_bounded_length(name: str) -> None:
    if username_error(name) is None:
        assert USERNAME_MIN <= len(name) <= USERNAME_MAX
        assert name.isascii()
        assert name.isprintable()
        assert " " not in name
        assert username_key(name) == username_key(name.upper())


@given(st.lists(st.sampled_from(AccessFact), max_size=12))
def test_only_an_invitation_leads_out_of_a_withdrawal(facts: list[AccessFact]) -> None:
    state = AccessState.WITHDRAWN
    for fact in facts:
        following = after(state, fact)
        if state is AccessState.WITHDRAWN and following is not None:
            assert fact is AccessFact.INVITED
        state = following or state


def test_names_become_usernames_without_accents() -> None:
    assert suggested_username("Zoë", "Müller-Straße") == "zoe.mullerstrasse"
    assert suggested_username("李", "小龍") == "li.xiaolong"
