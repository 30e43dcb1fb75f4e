"""An agent names their public page and puts it into their own website (P11)."""

import re
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import InvalidArgument
from chassis.typed.page_names import page_name_error, read_page_name, slug_of
from protos.wayvault.events.v1.events_pb2 import PublicPageChosen
from services.crm.access.public_pages.rules import frame_snippet, read_websites, with_www
from services.crm.core.actor import Actor
from tests.support.crm_paying import CrmHouse


def choose(crm: CrmHouse, who: Actor, name: str) -> int:
    return crm.browser(who).post("/public-page/name", {"name": name}).status_code


def test_a_chosen_name_is_shown_everywhere_and_told(crm: CrmHouse) -> None:
    assert choose(crm, crm.maya, "maya-travels") == 303
    for page in ("/public-page", "/quotes", "/agency/profile"):
        assert "/a/maya-travels</a>" in crm.browser(crm.maya).get(page).text
    assert {event.name for event in crm.events(PublicPageChosen)} == {"maya-travels"}
    assert "Own public page changed" in crm.browser(crm.ada).get("/audit/office").text


def test_what_is_taken_or_was_is_said_beside_the_field_and_stays_typed(crm: CrmHouse) -> None:
    choose(crm, crm.maya, "fjords")
    choose(crm, crm.maya, "maya-travels")
    for name in ("fjords", "maya-travels"):
        answer = crm.browser(crm.jonas).post("/public-page/name", {"name": name})
        assert answer.status_code == 422
        assert "another agent" in answer.text.partition('id="name-error"')[2]
        assert f'value="{name}"' in answer.text
    assert choose(crm, crm.maya, "fjords") == 303


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Enter a name"),
        ("Maya Travels", "maya-travels"),
        ("7seas", "begin with a letter"),
        ("maya--travels", "maya-travels"),
        ("fjörds", "fjords"),
        ("ab", "3 to 40"),
        ("a" * 41, "3 to 40"),
        ("sign-in", "kept for the site"),
        ("../../admin", "such as"),
    ],
)
def test_what_is_no_name_is_said_with_what_could_be_meant(crm: CrmHouse, typed: str, said: str) -> None:
    answer = crm.browser(crm.maya).post("/public-page/name", {"name": typed})
    assert answer.status_code == 422
    assert said in answer.text


def test_a_pasted_address_counts_for_its_name() -> None:
    assert read_page_name(" https://portal.example/a/Maya-Travels/ ") == "maya-travels"


@given(st.text(max_size=80))
def test_what_is_accepted_is_an_address_as_it_stands(typed: str) -> None:
    name = read_page_name(typed)
    if page_name_error(name) is None:
        assert re.fullmatch(r"[a-z][a-z0-9-]*", name)
        assert slug_of(name) == name


def test_websites_are_kept_as_origins_and_told_with_and_without_www(crm: CrmHouse) -> None:
    typed = "www.maya.example/contact\nhttps://trips.example:8443, maya.example"
    assert crm.browser(crm.maya).post("/public-page/websites", {"websites": typed}).status_code == 303
    page = crm.browser(crm.maya).get("/public-page").text
    assert "https://www.maya.example\nhttps://trips.example:8443\nhttps://maya.example</textarea>" in page
    told = crm.events(PublicPageChosen)[0].websites
    assert set(told) == {"https://www.maya.example", "https://trips.example:8443", "https://maya.example"}


@pytest.mark.parametrize(
    "typed",
    [
        "*",
        "https://*.maya.example",
        "maya",
        "https://user@maya.example",
        "ftp://maya.example",
        "https://maya.example:port",
        "127.0.0.1",
        "https://[::1",
        "\n".join(f"{number}.example.com" for number in range(6)),
    ],
)
def test_what_is_no_website_is_said_and_stays_typed(crm: CrmHouse, typed: str) -> None:
    answer = crm.browser(crm.maya).post("/public-page/websites", {"websites": typed})
    assert answer.status_code == 422
    assert 'id="websites-error"' in answer.text
    assert not crm.events(PublicPageChosen)


@given(st.text(max_size=200))
def test_no_website_can_end_the_policy_that_it_stands_in(typed: str) -> None:
    try:
        origins = with_www(read_websites(typed))
    except InvalidArgument:
        return
    for origin in origins:
        assert re.fullmatch(r"https?://[a-z0-9.:-]+", origin)
        assert urlsplit(origin).hostname


def test_the_snippets_are_for_any_website_and_run_nothing(crm: CrmHouse) -> None:
    page = crm.browser(crm.maya).get("/public-page").text
    assert "&lt;iframe src=" in page
    assert "&lt;a href=" in page
    snippet = frame_snippet("https://portal.example/a/x/embed", 'O"Neil <script>')
    assert "<script" not in snippet
    assert "O&quot;Neil" in snippet
