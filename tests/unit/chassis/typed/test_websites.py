"""Addresses of pages and websites: never another site than the one that was typed."""

import re
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.typed.web_addresses import read_page
from chassis.typed.websites import WebsiteError, read_website
from tests.support.typed import typed_values


@pytest.mark.parametrize(
    ("typed", "page"),
    [
        ("pay.maya.example/agents", "https://pay.maya.example/agents"),
        ("<https://maya.example>", "https://maya.example"),
        ("https://maya.example/a,", "https://maya.example/a"),
        ("(https://maya.example)", "https://maya.example"),
        ("HTTPS://Maya.Example/Terms?x=Y#Z", "https://maya.example/Terms?x=Y#Z"),
        ("ｍaya.example\u200b", "https://maya.example"),
        ("münchen.example/Preise", "https://xn--mnchen-3ya.example/Preise"),
    ],
)
def test_a_page_is_the_one_that_was_typed_without_what_stood_around_it(typed: str, page: str) -> None:
    assert read_page(typed) == page


@pytest.mark.parametrize("typed", ["https://faß.de", "faß.de", "https://βόλος.gr"])
def test_a_name_that_is_two_sites_is_asked_about(typed: str) -> None:
    with pytest.raises(WebsiteError, match="two ways"):
        read_website(typed)
    with pytest.raises(ValueError, match="https://"):
        read_page(typed)


@given(st.one_of(typed_values(), st.text(), st.from_regex(r"(https?://)?[a-z@:/\\.%?#\[\] ]{1,30}", fullmatch=True)))
def test_whatever_is_typed_is_a_page_of_a_plain_host_or_refused(typed: str) -> None:
    try:
        page = read_page(typed)
    except ValueError:
        return
    parts = urlsplit(page)
    assert parts.scheme == "https"
    assert re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+(:[0-9]+)?", parts.netloc)
    assert not re.search(r"[\s<>\"]", parts.netloc)
