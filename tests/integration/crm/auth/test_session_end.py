"""A session that ends while somebody writes: nothing is carried out, nothing lost, nobody else reads it (case 24)."""

import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

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
    found = re.search(r'<script type="application/json" id="wv-draft">(.*?)</script>', page.text, re.DOTALL)
    return dict(json.loads(found.group(1))["fields"]) if found else {}


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


def test_another_agent_who_signs_in_in_that_browser_reads_nothing_of_it(site: CrmSite) -> None:
    browser = site.signed_in(site.maya)
    refused = write_and_wait(site, browser, "idle")
    page = sign_in_again(site, browser, refused.location, site.jonas.email)
    assert page.status_code == 200
    assert draft_on(page) == {}
    assert "passenger" not in page.text


def test_a_draft_is_kept_for_an_hour(site: CrmSite) -> None:
    browser = site.signed_in(site.maya)
    refused = write_and_wait(site, browser, "idle")
    site.clock.advance(timedelta(minutes=61))
    assert draft_on(sign_in_again(site, browser, refused.location, site.maya.email)) == {}


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
    elsewhere = browser.client.post(NEW, data=stale, headers={"Sec-Fetch-Site": "cross-site"})
    assert elsewhere.status_code == 403
    assert "A long text" not in elsewhere.text
