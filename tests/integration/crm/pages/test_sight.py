"""What a walk through every page found narrow, cut, unnamed or out of sight (ux), measured in headless Chromium.

On a CRM and a portal with one of everything.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, FloatRect, Locator, Page, expect

from tests.integration.access.crm_house import FurnishedHouse
from tests.integration.access.portal_house import FurnishedPortal
from tests.support.browser import chromium
from tests.support.web import serving

_DESKTOP, _PHONE = 1280, 390
_LINES: Final = (
    "node => Math.round(node.getBoundingClientRect().height / parseFloat(getComputedStyle(node).lineHeight))"
)
_CUT: Final = "node => node.scrollWidth > node.clientWidth + 1"
# The page follows what happens; done when its parts are as they are on the server.
_FOLLOW: Final = """new Promise(done => {
    document.addEventListener("wv-live", done, { once: true });
    document.dispatchEvent(new Event("wv-news"));
}).then(() => true)"""
Opened = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@contextmanager
def _site(browser: Browser, app: Flask, client: FlaskClient, cookie: str) -> Iterator[Opened]:
    """Opens a site's pages in the window asked for, as who is signed in with `client`."""
    signed_in = client.get_cookie(cookie)
    assert signed_in is not None
    with serving(app) as port:
        context = browser.new_context(reduced_motion="reduce")
        origin = f"http://localhost:{port}"
        context.add_cookies([{"name": cookie, "value": signed_in.value, "url": origin}])
        page = context.new_page()

        def opened(path: str, width: int, *, height: int = 860, text: str = "") -> Page:
            page.set_viewport_size({"width": width, "height": height})
            answer = page.goto(origin + path)
            assert answer is not None
            assert answer.status == HTTPStatus.OK, path
            page.evaluate("size => { document.documentElement.style.fontSize = size }", text)
            return page

        yield opened
        context.close()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> FurnishedHouse:
    return FurnishedHouse(tmp_path_factory.mktemp("crm"))


@pytest.fixture(scope="module")
def desk(browser: Browser, house: FurnishedHouse) -> Iterator[Opened]:
    owner = house.browsers["owner"]
    with _site(browser, owner.app, owner.plain, house.deps.core.sessions.cookie_name) as opened:
        yield opened


@pytest.fixture(scope="module")
def portal(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    house = FurnishedPortal(tmp_path_factory.mktemp("portal"))
    cookie = house.deps.accounts.sessions.cookie_name
    with _site(browser, house.wsgi, house.browsers["client"], cookie) as opened:
        yield opened


def _box(part: Locator) -> FloatRect:
    box = part.bounding_box()
    assert box is not None
    return box


def _scrolls_sideways(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


def test_on_a_bookings_page_the_trip_comes_first_and_money_and_next_step_stay_in_view(
    desk: Opened, house: FurnishedHouse
) -> None:
    page = desk(f"/bookings/{house.booking_id}", _DESKTOP)
    assert _box(page.get_by_role("link", name="Add segment"))["y"] < _box(page.locator("#payments"))["y"]
    assert _box(page.locator("#segments"))["y"] < 400
    line = page.locator(".crm-money-line")
    expect(line.locator(".btn")).to_have_count(1)
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    expect(line).to_be_in_viewport()


@pytest.mark.parametrize("width", [_PHONE, _DESKTOP])
def test_what_was_done_is_said_where_the_page_opens(desk: Opened, house: FurnishedHouse, width: int) -> None:
    page = desk(f"/links/new/{house.booking_id}", width)
    page.locator(".pay-person:not(.is-off)").first.get_by_label("Amount").fill("12.34")
    page.get_by_label("What is it for?").fill("A deposit")
    page.get_by_role("button", name=re.compile("^Send link")).click()
    page.wait_for_url("**#payments")
    said = page.locator("#booking-parts [data-wv-said]").get_by_text("The link is on its way to 1 passenger.")
    expect(said).to_be_in_viewport(ratio=1)
    heading, line = page.get_by_role("heading", name="Payments"), page.locator(".crm-money-line")
    expect(heading).to_be_in_viewport(ratio=1)
    assert _box(line)["y"] + _box(line)["height"] <= _box(said)["y"] < _box(heading)["y"]
    page.evaluate(_FOLLOW)
    expect(said).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("width", [_PHONE, 768, 1024, _DESKTOP])
def test_a_bookings_tables_stay_within_their_frames(desk: Opened, house: FurnishedHouse, width: int) -> None:
    page = desk(f"/bookings/{house.booking_id}", width)
    assert not _scrolls_sideways(page)
    for table in page.locator(".wv-table-frame > table").all():
        assert not table.evaluate("node => node.offsetWidth > node.parentElement.clientWidth + 1")


def test_with_large_text_who_pays_is_read_in_words_not_in_letters(desk: Opened, house: FurnishedHouse) -> None:
    page = desk(f"/links/new/{house.booking_id}", _DESKTOP, text="200%")
    assert not _scrolls_sideways(page)
    for person in page.locator(".pay-person label").all():
        if person.is_visible():
            assert person.evaluate(_LINES) <= 2, person.text_content()


@pytest.mark.parametrize("width", [660, 768, 1024])
def test_in_narrow_windows_dates_take_two_lines_and_the_rails_words_are_whole(desk: Opened, width: int) -> None:
    page = desk("/bookings", width)
    for dates in page.locator("td.wv-dates").all():
        assert dates.evaluate(_LINES) <= 3
    for word in page.locator(".wv-rail > ul a span").all():
        assert not word.evaluate(_CUT), word.text_content()
        assert _box(word)["x"] >= 0


def test_every_kind_of_button_shows_where_the_keyboard_is(desk: Opened, house: FurnishedHouse) -> None:
    page = desk(f"/bookings/{house.booking_id}", _DESKTOP)
    for kind in (".btn-primary", ".btn-outline-secondary", ".btn-link", ".btn-danger"):
        button = page.locator(f"main {kind}").first
        button.evaluate("node => node.focus({ focusVisible: true })")
        width = button.evaluate("node => getComputedStyle(node).outlineWidth")
        assert float(width.removesuffix("px")) >= 2, kind


def test_days_are_read_whole_in_their_fields(desk: Opened, house: FurnishedHouse) -> None:
    for path in (f"/bookings/{house.booking_id}/segments/new", "/reports/charges", "/tasks/new"):
        page = desk(path, _DESKTOP)
        for field in page.locator("input[type=date]").all():
            if field.is_visible():
                assert _box(field)["width"] >= 144, path


def test_the_payment_report_has_short_rows_and_a_whole_order_box(desk: Opened) -> None:
    page = desk("/payments", _DESKTOP)
    assert page.locator("tbody tr").count() > 0
    for row in page.locator("tbody tr").all():
        assert _box(row)["height"] <= 90
    assert not page.locator("#filter-sort").evaluate(_CUT)


def test_a_list_with_more_than_there_is_room_for_is_moved_sideways_and_not_cut_off(desk: Opened) -> None:
    page = desk("/payments", _DESKTOP)
    frame, heading = page.locator(".wv-table-frame"), page.locator("thead th").first
    expect(frame).to_have_css("overflow-x", "clip")
    expect(heading).to_have_css("position", "sticky")
    cell = page.locator("tbody td").first
    cell.evaluate("cell => { cell.style.minWidth = '80rem' }")
    expect(frame).to_have_css("overflow-x", "auto")
    expect(heading).to_have_css("position", "static")
    cell.evaluate("cell => { cell.style.minWidth = '' }")
    expect(frame).to_have_css("overflow-x", "clip")


def test_on_a_phone_an_amount_says_which_it_is(desk: Opened) -> None:
    page = desk("/reports/standing-orders", _PHONE)
    shown = [cell for cell in page.locator("td.wv-num[data-label]").all() if cell.is_visible()]
    assert shown
    for cell in shown:
        label = cell.evaluate("node => getComputedStyle(node, '::before').content")
        assert cell.get_attribute("data-label") in label


def test_a_long_names_lead_stays_in_one_line_and_who_is_found_is_in_sight(desk: Opened) -> None:
    page = desk("/bookings/new", _PHONE, height=600)
    page.get_by_label("Add a passenger").press_sequentially("grace")
    found = page.locator("#people-found").get_by_text("Grace Hopper")
    expect(found).to_be_in_viewport()
    found.click()
    lead = page.locator("[data-crm-chosen] label", has_text="Lead")
    assert lead.first.evaluate(_LINES) == 1


def test_a_clients_tabs_stay_on_a_phone_with_large_text_and_their_counts_beside_the_words(portal: Opened) -> None:
    assert not _scrolls_sideways(portal("/trips", _PHONE, text="200%"))
    page = portal("/trips", _PHONE)
    for tab in page.locator(".wv-tabs a:has(.wv-count)").all():
        tab_box, count = _box(tab), _box(tab.locator(".wv-count"))
        assert tab_box["y"] <= count["y"]
        assert count["y"] + count["height"] <= tab_box["y"] + tab_box["height"] / 2 + 4


def test_on_a_signed_page_no_button_touches_what_stands_beside_it(portal: Opened) -> None:
    page = portal("/payments/pay_second", _PHONE)
    buttons = [button for button in page.locator(".wv-panel .btn").all() if button.is_visible()]
    assert buttons
    for button in buttons:
        panel = _box(button.locator("xpath=ancestor::*[contains(@class, 'wv-panel')][1]"))
        inner = _box(button)
        assert inner["y"] + inner["height"] + 8 <= panel["y"] + panel["height"]
        assert inner["x"] + inner["width"] <= panel["x"] + panel["width"]
