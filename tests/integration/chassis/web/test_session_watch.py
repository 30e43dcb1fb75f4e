"""The end of a session as a page lives through it, in headless Chromium: several tabs, sleep, wrong clocks, others."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from flask import render_template_string
from playwright.sync_api import Browser, Locator, Page, Route, expect

from chassis.web.drafts import Draft
from tests.support.browser import chromium
from tests.support.gallery import GallerySettings, make_gallery
from tests.support.web import serving

WATCH = {
    "seconds": 900,
    "warning": 120,
    "who": "maya",
    "left": "/session/left",
    "stay": "/session/stay",
    "sign_in": "/sign-in",
}
_PAGE = """
{% extends "layout/desk.html" %}
{% block content %}<h1>Notes</h1><label>Note <input name="note"></label>{% endblock %}
"""
_FORM = """
{% extends "layout/desk.html" %}
{% block content %}<form method="post" action="/notes">
<label>Amount <input name="amount" value="900.00"></label>
<label><input type="radio" name="kind" value="deposit" checked> Deposit</label>
<label><input type="radio" name="kind" value="fee"> Fee</label>
</form>{% endblock %}
"""
# What the link form does: another kind of payment proposes another amount.
_PROPOSES = """addEventListener("change", ({ target }) => {
  if (target.name === "kind") document.querySelector("[name=amount]").value = "75.00";
});"""
# Until a page that was just opened asks for the first time, and a little more.
TILL_THE_WARNING = 790_000  # ms
NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


@dataclass
class Server:
    """What the server would say of the session."""

    seconds: int = 900
    who: str = "maya"
    is_over: bool = False

    def left(self, route: Route) -> None:
        said = {"seconds": self.seconds, "who": self.who, "csrf_token": f"token of {self.who}"}
        route.fulfill(status=401 if self.is_over else 200, content_type="application/json", body=json.dumps(said))

    def stay(self, route: Route) -> None:
        self.seconds = 900
        self.left(route)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    app = make_gallery(GallerySettings())
    app.add_url_rule("/notes", "notes", lambda: render_template_string(_PAGE, session_watch=WATCH, draft=None))
    draft = Draft(back="/pay", action="/notes", fields=[("amount", "900.00"), ("kind", "fee")], id="drf_1")
    app.add_url_rule("/pay", "pay", lambda: render_template_string(_FORM, session_watch=WATCH, draft=draft))
    with serving(app) as port:
        yield f"http://crm.localhost:{port}/notes"


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def opened(browser: Browser, address: str, server: Server) -> Iterator[Callable[..., Page]]:
    """Opens the page in one more tab, whose clocks the test moves."""
    context = browser.new_context()
    context.route("**/session/left", server.left)
    context.route("**/session/stay", server.stay)

    def open_page(at: datetime = NOW) -> Page:
        page = context.new_page()
        page.clock.install(time=at)
        page.goto(address)
        return page

    yield open_page
    context.close()


def dialog(page: Page) -> Locator:
    return page.get_by_role("alertdialog")


def form_token(page: Page) -> str | None:
    return page.locator('meta[name="csrf-token"]').get_attribute("content")


@pytest.mark.parametrize("wrong_by", [timedelta(), timedelta(days=1), timedelta(days=-1), timedelta(hours=-13)])
def test_the_warning_comes_in_time_whatever_the_browsers_clock_says(
    opened: Callable[..., Page], server: Server, wrong_by: timedelta
) -> None:
    page = opened(NOW + wrong_by)
    page.clock.fast_forward(TILL_THE_WARNING - 60_000)
    expect(dialog(page)).to_have_count(0)
    server.seconds = 110
    page.clock.fast_forward(60_000)
    expect(dialog(page)).to_contain_text("You will be signed out in 2 minutes")


def test_whoever_stays_in_one_tab_stays_in_all_of_them(opened: Callable[..., Page], server: Server) -> None:
    first, second = opened(), opened()
    server.seconds = 100
    for page in (first, second):
        page.clock.fast_forward(TILL_THE_WARNING)
        expect(dialog(page)).to_be_visible()
    first.get_by_role("button", name="Stay signed in").click()
    for page in (first, second):
        expect(dialog(page)).to_be_hidden()


@pytest.mark.parametrize("is_over", [True, False])
def test_after_a_sleep_that_stopped_the_steady_clock_the_page_asks_and_says_what_is(
    opened: Callable[..., Page], server: Server, is_over: bool
) -> None:
    page = opened()
    server.is_over, server.seconds = is_over, 90
    page.clock.set_system_time(NOW + timedelta(hours=8))
    page.clock.run_for(31_000)
    expect(dialog(page)).to_contain_text("You have been signed out" if is_over else "Are you still there?")


def test_another_person_who_signs_in_gets_no_hold_of_an_open_page(opened: Callable[..., Page], server: Server) -> None:
    page, typed = opened(), "Call about the cabin"
    page.get_by_label("Note").fill(typed)
    before = form_token(page)
    server.who = "jonas"
    opened()  # their own page, which tells the others that somebody is there
    expect(dialog(page)).to_contain_text("Somebody else is signed in now")
    assert form_token(page) == before
    dialog(page).get_by_role("button", name="Close").click()
    expect(page.get_by_label("Note")).to_have_value(typed)
    server.who = "maya"
    opened()
    expect(page.get_by_text("You are signed in again. You can go on here.")).to_be_visible()
    assert form_token(page) == "token of maya"


def test_signed_in_again_elsewhere_an_ended_page_goes_on(opened: Callable[..., Page], server: Server) -> None:
    page = opened()
    server.is_over = True
    page.clock.fast_forward(TILL_THE_WARNING)
    expect(dialog(page)).to_contain_text("You have been signed out")
    server.is_over = False
    opened()
    expect(dialog(page)).to_be_hidden()
    assert form_token(page) == "token of maya"


def test_what_was_typed_comes_back_also_where_another_field_proposes_it_anew(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.add_init_script(_PROPOSES)
    page.goto(address.replace("/notes", "/pay"))
    expect(page.get_by_text("You are signed in again.")).to_be_visible()
    expect(page.get_by_label("Fee")).to_be_checked()
    expect(page.get_by_label("Amount")).to_have_value("900.00")
    page.close()
