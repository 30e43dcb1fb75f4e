"""What is pressed before the page's scripts listen, in headless Chromium whose scripts come when the test says so."""

from collections.abc import Callable, Iterator

import pytest
from flask import render_template_string, request
from playwright.sync_api import Browser, Page, Route, expect

from tests.support.browser import chromium
from tests.support.gallery import GallerySettings, make_gallery
from tests.support.web import serving

_PAGE = """
{% extends "layout/desk.html" %}
{% block head %}<script src="{{ asset('live.js') }}" type="module"></script>{% endblock %}
{% block content %}
<h1>Early</h1>
<div id="part" data-wv-live>
<button type="button" class="btn btn-primary" data-wv-dialog="ask">Void…</button>
<dialog id="ask" class="wv-dialog"><p>For good?</p><button type="button" data-wv-close>Keep it</button></dialog>
</div>
<table><tr data-wv-href="/early?row"><td>The whole row opens</td></tr></table>
<form method="post" action="/early" data-wv-form><input type="hidden" name="csrf_token" value="{{ csrf_token() }}">
<label>Note <input name="note"></label><button type="submit">Save note</button></form>
<form method="post" action="/early" data-wv-form data-wv-scripted id="scripted">
<input type="hidden" name="csrf_token" value="{{ csrf_token() }}"><input type="hidden" name="note" value="without">
<button type="submit">Open link</button></form>
<p id="said">{{ said }}</p>
{% endblock %}
"""


def _early() -> str:
    return render_template_string(_PAGE, said=request.form.get("note", request.query_string.decode()))


class Line:
    """The network between page and server: scripts wait until `come`."""

    def __init__(self, page: Page) -> None:
        self._waiting: list[Route] = []
        self._slow = True
        page.route("**/*.js?*", self._take)

    def _take(self, route: Route) -> None:
        if self._slow and "early" not in route.request.url:
            self._waiting.append(route)
        else:
            route.continue_()

    def come(self) -> None:
        self._slow = False
        for route in self._waiting:
            route.continue_()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    app = make_gallery(GallerySettings())
    app.add_url_rule("/early", view_func=_early, methods=["GET", "POST"])
    with serving(app) as port:
        yield f"http://crm.localhost:{port}/early"


@pytest.fixture
def opened(browser: Browser, address: str) -> Iterator[Callable[[], tuple[Page, Line]]]:
    """Opens the page, drawn and without its scripts."""
    context = browser.new_context()

    def open_page() -> tuple[Page, Line]:
        page = context.new_page()
        line = Line(page)
        page.goto(address, wait_until="commit")
        expect(page.get_by_role("button", name="Open link")).to_be_visible()
        return page, line

    yield open_page
    context.close()


def test_a_button_that_scripts_serve_does_what_it_was_pressed_for_once_they_are_there(
    opened: Callable[[], tuple[Page, Line]],
) -> None:
    page, line = opened()
    button = page.get_by_role("button", name="Void…")
    button.click()
    expect(button).to_have_attribute("aria-busy", "true")
    line.come()
    expect(page.get_by_role("dialog")).to_be_visible()
    expect(button).not_to_have_attribute("aria-busy", "true")
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_of_several_things_the_last_one_is_done(opened: Callable[[], tuple[Page, Line]]) -> None:
    page, line = opened()
    page.get_by_role("button", name="Void…").click()
    page.get_by_text("The whole row opens").click()
    line.come()
    expect(page.locator("#said")).to_have_text("row")


def test_a_form_that_needs_no_script_is_sent_at_once(opened: Callable[[], tuple[Page, Line]]) -> None:
    page, line = opened()
    page.get_by_label("Note").fill("before any script")
    page.get_by_role("button", name="Save note").click(no_wait_after=True)
    expect(page.locator("#said")).to_have_text("before any script")
    line.come()


def test_a_form_whose_script_fills_something_in_waits_for_it(opened: Callable[[], tuple[Page, Line]]) -> None:
    page, line = opened()
    page.get_by_role("button", name="Open link").click()
    # The page's own script, which comes with the others.
    page.evaluate(
        """document.addEventListener('DOMContentLoaded', () => document.getElementById('scripted')
            .addEventListener('submit', (event) => { event.target.elements.note.value = 'with' }))"""
    )
    line.come()
    expect(page.locator("#said")).to_have_text("with")


def test_what_was_typed_and_ticked_before_is_told_to_the_scripts(opened: Callable[[], tuple[Page, Line]]) -> None:
    page, line = opened()
    page.evaluate(
        """document.addEventListener('DOMContentLoaded', () => document.addEventListener('change', ({ target }) => {
            document.getElementById('said').textContent = `heard: ${target.value}`;
        }))"""
    )
    page.get_by_label("Note").fill("early bird")
    line.come()
    expect(page.locator("#said")).to_have_text("heard: early bird")


def test_a_click_while_a_part_that_followed_waits_for_its_script_is_kept(
    opened: Callable[[], tuple[Page, Line]],
) -> None:
    page, line = opened()
    line.come()
    page.wait_for_load_state()
    page.evaluate("document.dispatchEvent(new Event('wv-scripts-wanted'))")
    button = page.get_by_role("button", name="Void…")
    button.click()
    expect(button).to_have_attribute("aria-busy", "true")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.evaluate("document.dispatchEvent(new Event('wv-scripts-there'))")
    expect(page.get_by_role("dialog")).to_be_visible()
