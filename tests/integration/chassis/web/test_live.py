"""Parts that follow what happens, in headless Chromium: what a person does stays, and the page is never unloaded."""

from collections.abc import Iterator

import pytest
from flask import flash, render_template_string
from playwright.sync_api import Browser, Page, expect

from chassis.web.page import NavItem
from tests.support.browser import chromium
from tests.support.gallery import GallerySettings, make_gallery
from tests.support.web import serving

_PAGE = """
{% extends "layout/desk.html" %}
{% block head %}<script src="{{ asset('live.js') }}" type="module"></script>{% endblock %}
{% block content %}
<h1>Row</h1>
<div id="outer"{{ " data-wv-live" if not still }}>
  <p id="state">{{ state }}</p>
  <details><summary>Unfold</summary><label>Note <input name="note" value=""></label></details>
  <ul>{% for name in names %}
  <li id="row-{{ name }}"><label><input type="checkbox" name="pick" value="{{ name }}">{{ name }}</label></li>
  {% endfor %}</ul>
  {% if framed %}<iframe title="Card" srcdoc="<p>4111</p>"></iframe>{% endif %}
  <ol id="inner"{{ " data-wv-live" if not still }}>{% for line in range(lines) %}<li>{{ line }}</li>{% endfor %}</ol>
</div>
{% endblock %}
"""


class Desk:
    """What the page shows at the moment."""

    def __init__(self) -> None:
        self.told = False
        self.seen: dict[str, object] = {
            "state": "Requested",
            "names": ["a"],
            "framed": False,
            "lines": 1,
            "still": False,
        }

    def page(self) -> str:
        if self.told:
            flash("For the next page that is opened.", "done")
            self.told = False
        return render_template_string(_PAGE, **self.seen)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def page(browser: Browser, desk: Desk) -> Iterator[Page]:
    app = make_gallery(GallerySettings())
    app.add_url_rule("/live", view_func=desk.page)
    with serving(app) as port:
        context = browser.new_context()
        opened = context.new_page()
        opened.goto(f"http://crm.localhost:{port}/live")
        # Gone if the page is ever unloaded.
        opened.evaluate("window.mark = 'here'")
        yield opened
        assert opened.evaluate("window.mark") == "here"
        context.close()


def _news(page: Page) -> None:
    page.evaluate("document.dispatchEvent(new Event('wv-news'))")


def test_a_part_follows_and_keeps_what_is_typed_ticked_unfolded_and_focused(page: Page, desk: Desk) -> None:
    page.get_by_text("Unfold").click()
    page.get_by_label("Note").fill("half a sent")
    page.get_by_label("a", exact=True).check()
    page.get_by_label("Note").focus()
    desk.seen |= {"state": "Opened", "names": ["b", "a"]}
    _news(page)
    expect(page.locator("#state")).to_have_text("Opened")
    expect(page.get_by_label("Note")).to_have_value("half a sent")
    expect(page.get_by_label("Note")).to_be_focused()
    # Of two rows the same one is ticked, wherever it stands now.
    expect(page.get_by_label("a", exact=True)).to_be_checked()
    expect(page.get_by_label("b", exact=True)).not_to_be_checked()


def test_beside_a_frame_only_the_parts_inside_follow_and_the_frame_stays(page: Page, desk: Desk) -> None:
    desk.seen |= {"framed": True}
    _news(page)
    expect(page.locator("iframe")).to_be_visible()
    page.evaluate("document.querySelector('iframe').contentWindow.shown = 'once'")
    desk.seen |= {"framed": False, "state": "Void", "lines": 3}
    _news(page)
    expect(page.locator("#inner li")).to_have_count(3)
    expect(page.locator("#state")).to_have_text("Requested")
    assert page.evaluate("document.querySelector('iframe').contentWindow.shown") == "once"


def test_the_rail_follows_on_a_page_where_nothing_else_does(page: Page, desk: Desk) -> None:
    desk.seen |= {"still": True, "nav": [NavItem(label="Approvals", url="/approvals", icon="shield-check", count=1)]}
    page.evaluate(
        "document.querySelectorAll('main [data-wv-live]').forEach(part => part.removeAttribute('data-wv-live'))"
    )
    page.get_by_text("Unfold").click()
    page.get_by_label("Note").fill("half a sent")
    _news(page)
    expect(page.locator("#wv-rail").get_by_role("link", name="Approvals 1")).to_be_visible()
    expect(page.get_by_label("Note")).to_have_value("half a sent")


def test_news_while_the_last_is_being_fetched_is_not_lost(page: Page, desk: Desk) -> None:
    for state in ("Opened", "Submitted", "Processed"):
        desk.seen |= {"state": state}
        _news(page)
    expect(page.locator("#state")).to_have_text("Processed")


def test_following_takes_no_words_that_are_meant_for_the_next_page(page: Page, desk: Desk) -> None:
    desk.told = True
    desk.seen |= {"state": "Opened"}
    _news(page)
    expect(page.locator("#state")).to_have_text("Opened")
    expect(page.get_by_text("For the next page")).to_have_count(0)
    reopened = page.context.new_page()
    reopened.goto(page.url)
    expect(reopened.get_by_text("For the next page")).to_be_visible()
    reopened.close()
