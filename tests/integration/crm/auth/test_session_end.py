"""A session that ends while somebody writes: nothing is carried out, nothing lost, nobody else reads it (case 24)."""

import io
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from flask import current_app, request
from sqlalchemy import text
from werkzeug.test import TestResponse

from chassis.web.drafts import way_back
from tests.support.crm_site import PASSWORD, Browser, CrmSite

QUESTION = "How do I move a passenger's share? " + "A long text of two thousand characters. " * 50
TYPED = {"subject": "Shares & <links>", "text": QUESTION}
NEW = "/support/new"


def write_and_wait(site: CrmSite, browser: Browser, how: str) -> TestResponse:
    browser.get(NEW)
    if how == "idle":
        site.clock.advance(timedelta(minutes=16))
    else:
        here = site.deps.core.sessions.list_for(site.maya.agent_id)
        for session in here:
            site.deps.core.sessions.end_one(session.id, subject=site.maya.agent_id)
    return browser.post(NEW, TYPED, headers={"Referer": f"http://localhost{NEW}"})


def sign_in_again(site: CrmSite, browser: Browser, target: str, email: str) -> TestResponse:
    site.next_step()
    browser.get(target)
    step = browser.post(target, {"email": email, "password": PASSWORD})
    browser.get(step.location)
    done = browser.post(step.location, {"code": site.code(email)})
    return browser.get(done.location)


def draft_on(page: TestResponse) -> dict[str, str]:
    found = _draft(page)
    return dict(found["fields"]) if found else {}


def _draft(page: TestResponse) -> Any:  # Any: a JSON document
    found = re.search(r'<script type="application/json" id="wv-draft">(.*?)</script>', page.text, re.DOTALL)
    return json.loads(found.group(1)) if found else None


@pytest.mark.parametrize("how", ["idle", "ended elsewhere"])
def test_after_signing_in_again_the_text_stands_where_it_was_typed_and_is_saved_once(site: CrmSite, how: str) -> None:
    browser = site.signed_in(site.maya)
    refused = write_and_wait(site, browser, how)
    assert refused.status_code == 303
    assert refused.location == "/sign-in?next=/support/new"
    with site.database.read() as session:
        assert session.execute(text("SELECT count(*) FROM support_ticket")).scalar_one() == 0
        (sealed,) = session.execute(text("SELECT sealed FROM web_drafts")).scalars()
        assert "passenger" not in sealed
    page = sign_in_again(site, browser, refused.location, site.maya.email)
    assert draft_on(page) == TYPED
    assert draft_on(browser.get(NEW)) == TYPED
    assert browser.post(NEW, draft_on(page)).status_code == 303
    assert draft_on(browser.get(NEW)) == {}
    with site.database.read() as session:
        assert session.execute(text("SELECT count(*) FROM support_ticket")).scalar_one() == 1
        assert session.execute(text("SELECT count(*) FROM web_drafts")).scalar_one() == 0


def test_two_windows_texts_for_one_form_both_stay_until_each_was_sent(site: CrmSite) -> None:
    browser = site.signed_in(site.maya)
    first, second = ({"subject": f"Question {number}", "text": f"Text {number}"} for number in (1, 2))
    browser.get(NEW)
    site.clock.advance(timedelta(minutes=16))
    for typed in (first, second, second):
        site.clock.advance(timedelta(seconds=1))
        browser.post(NEW, typed, headers={"Referer": f"http://localhost{NEW}"})
    page = sign_in_again(site, browser, f"/sign-in?next={NEW}", site.maya.email)
    assert draft_on(page) == second
    assert browser.post(NEW, {**second, "wv_draft": _draft(page)["id"]}).status_code == 303
    page = browser.get(NEW)
    assert draft_on(page) == first
    site.clock.advance(timedelta(minutes=16))
    again = {**first, "text": "Text 1, mended", "wv_draft": _draft(page)["id"]}
    refused = browser.post(NEW, again, headers={"Referer": f"http://localhost{NEW}"})
    page = sign_in_again(site, browser, refused.location, site.maya.email)
    assert draft_on(page) == {**first, "text": "Text 1, mended"}
    assert browser.post(NEW, {**first, "wv_draft": _draft(page)["id"]}).status_code == 303
    assert draft_on(browser.get(NEW)) == {}


def test_nobody_forgets_another_agents_draft_by_its_id(site: CrmSite) -> None:
    browser = site.signed_in(site.maya)
    page = sign_in_again(site, browser, write_and_wait(site, browser, "idle").location, site.maya.email)
    other = site.signed_in(site.jonas)
    other.post(NEW, {**TYPED, "wv_draft": _draft(page)["id"]})
    assert draft_on(browser.get(NEW)) == TYPED


def test_a_file_that_was_chosen_is_named_and_one_named_like_a_card_is_not(site: CrmSite) -> None:
    browser = site.signed_in(site.maya)
    page = "/clients/import"
    assert browser.get(page).status_code == 200
    site.clock.advance(timedelta(minutes=16))
    for name in ("guests of May.csv", "4111111111111111.csv"):
        sent = {"file": (io.BytesIO(b"First name\nAnn"), name)}
        refused = browser.post(page, sent, headers={"Referer": f"http://localhost{page}"})
        assert refused.status_code in (303, 422)
    back = sign_in_again(site, browser, f"/sign-in?next={page}", site.maya.email)
    assert draft_on(back) == {"wv_file:file": "guests of May.csv"}


def test_from_a_page_that_can_not_be_opened_one_comes_back_to_the_one_above_it(site: CrmSite) -> None:
    """A form that was refused stands where it was sent to."""
    rules = [rule for rule in site.app.url_map.iter_rules() if rule.methods and "GET" not in rule.methods]
    assert len(rules) > 50
    for rule in rules:
        path = re.sub("<[^>]*>", "bkg_1", re.sub(r"<any\((\w+)[^>]*>", r"\1", rule.rule))
        with site.app.test_request_context(path, method="POST", headers={"Referer": f"http://localhost{path}"}):
            back = way_back()
            adapter = current_app.create_url_adapter(request)
            assert adapter is not None
            assert adapter.test(back, method="GET"), (path, back)
            assert path.startswith(back)


def test_another_agent_who_signs_in_in_that_browser_reads_nothing_of_it(site: CrmSite) -> None:
    browser = site.signed_in(site.maya)
    refused = write_and_wait(site, browser, "idle")
    page = sign_in_again(site, browser, refused.location, site.jonas.email)
    assert page.status_code == 200
    assert draft_on(page) == {}
    assert "passenger" not in page.text


def test_a_page_tells_another_person_apart_and_says_nothing_of_either(site: CrmSite) -> None:
    told = []
    for agent in (site.maya, site.maya, site.jonas):
        browser = site.signed_in(agent)
        (watch,) = re.findall(r'id="wv-session">(.*?)</script>', browser.get(NEW).text)
        left = browser.get("/session/left").get_json()
        assert json.loads(watch)["who"] == left["who"]
        assert agent.agent_id not in left["who"]
        told.append(left["who"])
        site.next_step()
    assert told[0] == told[1] != told[2]


def test_a_text_from_a_page_with_a_very_long_address_is_kept_too(site: CrmSite) -> None:
    browser = site.signed_in(site.maya)
    site.clock.advance(timedelta(minutes=16))
    long = f"http://localhost{NEW}?q={'x' * 600}"
    refused = browser.post(NEW, TYPED, headers={"Referer": long})
    assert refused.location == "/sign-in?next=/support/new"
    assert draft_on(sign_in_again(site, browser, refused.location, site.maya.email)) == TYPED


def test_a_text_that_is_sent_while_one_signs_in_in_another_window_is_kept(site: CrmSite) -> None:
    browser = site.signed_in(site.maya)
    browser.get(NEW)
    site.clock.advance(timedelta(minutes=16))
    site.next_step()
    half = browser.post("/sign-in", {"email": site.maya.email, "password": PASSWORD})
    browser.get(half.location)
    # The old page's token is none any more: the page in between is pressed ("Send it again").
    refused = browser.post(NEW, TYPED, headers={"Referer": f"http://localhost{NEW}"})
    assert refused.location == "/sign-in?next=/support/new"
    browser.post(half.location, {"code": site.code(site.maya.email)})
    assert draft_on(browser.get(NEW)) == TYPED


def test_a_text_without_a_sender_page_is_kept_for_the_page_that_it_was_sent_to(site: CrmSite) -> None:
    """Some browsers and proxies leave the Referer out."""
    browser = site.signed_in(site.maya)
    site.clock.advance(timedelta(minutes=16))
    refused = browser.post(NEW, TYPED)
    assert refused.location == "/sign-in?next=/support/new"
    assert draft_on(sign_in_again(site, browser, refused.location, site.maya.email)) == TYPED


@pytest.mark.parametrize("step", ["password changed elsewhere", "wrong password first"])
def test_a_text_outlives_whatever_happens_until_one_is_back(site: CrmSite, step: str) -> None:
    browser = site.signed_in(site.maya)
    if step == "password changed elsewhere":
        site.deps.core.sessions.end_all(site.maya.agent_id)
        refused = browser.post(NEW, TYPED, headers={"Referer": f"http://localhost{NEW}"})
    else:
        refused = write_and_wait(site, browser, "idle")
    if step == "wrong password first":
        wrong = browser.post(refused.location, {"email": site.maya.email, "password": "not this one at all"})
        assert wrong.status_code == 422
    assert draft_on(sign_in_again(site, browser, refused.location, site.maya.email)) == TYPED


@pytest.mark.parametrize(
    "value", ["line one\r\nline two\r\n", "emoji 🏝️ & <b>", "\u200f\u05d0", "a\x00b", "  two  ", "x" * 299_000]
)
def test_any_text_comes_back_as_it_was_typed(site: CrmSite, value: str) -> None:
    browser = site.signed_in(site.maya)
    site.clock.advance(timedelta(minutes=16))
    typed = {"subject": "Any", "text": value}
    refused = browser.post(NEW, typed, headers={"Referer": f"http://localhost{NEW}"})
    assert draft_on(sign_in_again(site, browser, refused.location, site.maya.email)) == typed


@pytest.mark.parametrize("card", ["4111111111111111", "4111 1111 1111 1111", "Visa 4111-1111-1111-1111 12/28"])
def test_no_card_is_part_of_a_draft(site: CrmSite, card: str) -> None:
    browser = site.signed_in(site.maya)
    site.clock.advance(timedelta(minutes=16))
    refused = browser.post(NEW, {"subject": "Any", "text": card}, headers={"Referer": f"http://localhost{NEW}"})
    assert refused.status_code in (303, 422)
    with site.database.read() as session:
        assert session.execute(text("SELECT count(*) FROM web_drafts")).scalar_one() in (0, 1)
    if refused.status_code == 303:
        assert draft_on(sign_in_again(site, browser, refused.location, site.maya.email)) == {"subject": "Any"}


def test_a_draft_is_kept_for_an_hour(site: CrmSite) -> None:
    browser = site.signed_in(site.maya)
    refused = write_and_wait(site, browser, "idle")
    site.clock.advance(timedelta(minutes=61))
    assert draft_on(sign_in_again(site, browser, refused.location, site.maya.email)) == {}


@pytest.mark.parametrize("asked_first", [False, True], ids=["at once", "after the page has asked"])
def test_the_sign_in_page_says_that_one_was_away(site: CrmSite, asked_first: bool) -> None:
    browser = site.signed_in(site.maya)
    browser.get(NEW)
    site.clock.advance(timedelta(minutes=16))
    if asked_first:
        assert browser.get("/session/left").status_code == 401
    assert "You were away for 15 minutes" in browser.get("/sign-in").text


def test_the_sign_in_page_says_no_such_thing_of_a_session_that_was_ended_elsewhere(site: CrmSite) -> None:
    browser = site.signed_in(site.maya)
    for session in site.deps.core.sessions.list_for(site.maya.agent_id):
        site.deps.core.sessions.end_one(session.id, subject=site.maya.agent_id)
    site.clock.advance(timedelta(minutes=16))
    assert "You were away" not in browser.get("/sign-in").text


def test_passwords_and_codes_are_no_part_of_a_draft(site: CrmSite) -> None:
    browser = site.signed_in(site.maya)
    browser.get("/account")
    site.clock.advance(timedelta(minutes=16))
    refused = browser.post("/account", {"old": PASSWORD, "new": "a new long password", "again": "a new long password"})
    assert refused.status_code == 303
    with site.database.read() as session:
        assert session.execute(text("SELECT count(*) FROM web_drafts")).scalar_one() == 0


def test_a_page_learns_how_long_is_left_without_keeping_the_session_awake_and_staying_does(site: CrmSite) -> None:
    browser = site.signed_in(site.maya)
    page = browser.get(NEW)
    (watch,) = re.findall(r'id="wv-session">(.*?)</script>', page.text)
    told = json.loads(watch)
    assert (told["seconds"], told["left"], told["stay"]) == (900, "/session/left", "/session/stay")
    site.clock.advance(timedelta(minutes=14))
    left = browser.get("/session/left").get_json()
    assert left["seconds"] == 60
    assert browser.get("/session/left").get_json()["seconds"] == 60
    assert browser.post("/session/stay").get_json() == {"seconds": 900}
    site.clock.advance(timedelta(minutes=14))
    assert browser.get("/session/left").get_json()["seconds"] == 60
    site.clock.advance(timedelta(minutes=1))
    assert browser.get("/session/left").status_code == 401
    assert browser.post("/session/stay").status_code == 401


def test_a_window_of_an_earlier_sign_in_may_send_again_what_it_holds(site: CrmSite) -> None:
    browser = site.signed_in(site.maya)
    stale = {**TYPED, "csrf_token": "of the session before"}
    refused = browser.client.post(NEW, data=stale, headers={"Sec-Fetch-Site": "same-origin"})
    assert refused.status_code == 400
    assert "Send it again" in refused.text
    assert "A long text" in refused.text
    assert f"You are signed in as {site.maya.name}: it is sent in that name." in refused.text
    elsewhere = browser.client.post(NEW, data=stale, headers={"Sec-Fetch-Site": "cross-site"})
    assert elsewhere.status_code == 403
    assert "A long text" not in elsewhere.text
