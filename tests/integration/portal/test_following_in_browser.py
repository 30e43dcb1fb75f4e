"""A client's open pages follow what their agent does, in headless Chromium: the page is never unloaded, what is typed
stays, the change is said to a screen reader, and a page that nobody looks at asks for nothing."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import (
    PaymentCardRemoved,
    PaymentLapsed,
    PaymentLinkRevoked,
    PaymentRetrieved,
    PaymentTakenByPhone,
)
from tests.support.browser import chromium
from tests.support.portal import LINK, PAYMENT, TOKEN, context
from tests.support.portal_site import PortalSite, portal_site

_PATIENCE = 10_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def site(tmp_path: Path) -> Iterator[PortalSite]:
    with portal_site(tmp_path) as served:
        served.world.issue()
        yield served


@pytest.fixture
def page(browser: Browser, site: PortalSite) -> Iterator[Page]:
    opened = browser.new_context(viewport={"width": 390, "height": 844})
    made = opened.new_page()
    made.set_default_timeout(_PATIENCE)
    made.goto(f"{site.address}/pay/{LINK}#{TOKEN}")
    made.get_by_role("button", name="Open payment request").click()
    made.wait_for_url("**/authorize")
    yield made
    opened.close()


def _authorize(site: PortalSite) -> None:
    now = stamp(site.world.clock.now())
    site.world.tell(
        PaymentTakenByPhone(context=context(), brand="visa", last4="1111", authorized_at=now, card_kept_until=now)
    )


def test_a_payments_page_follows_to_its_end_and_then_asks_no_more(page: Page, site: PortalSite) -> None:
    world = site.world
    _authorize(site)
    page.goto(f"{site.address}/pay/{LINK}/status")
    page.evaluate("window.mark = 'here'")
    heading, said = page.get_by_role("heading", level=1), page.locator("body > p[role=status]")
    expect(heading).to_have_text("Thank you. Your authorization is in.")
    world.tell(PaymentRetrieved(payment_id=PAYMENT, agent_name="Maya Okafor", at=stamp(world.clock.now())))
    expect(heading).to_have_text("Your payment is being made")
    expect(said).to_have_text("Your payment is being made")
    expect(page).to_have_title(re.compile("Your payment is being made"))
    world.tell(PaymentLapsed(context=context(), at=stamp(world.clock.now())))
    world.tell(PaymentCardRemoved(payment_id=PAYMENT, at=stamp(world.clock.now()), reason="lapsed"))
    expect(heading).to_have_text("Your card was deleted unused")
    expect(page.locator("#wv-follow")).not_to_have_attribute("data-news", re.compile("."))
    assert page.evaluate("window.mark") == "here"


def test_a_form_says_that_its_link_was_taken_back_and_keeps_what_was_typed(page: Page, site: PortalSite) -> None:
    page.get_by_label("City").fill("Springfield")
    card = page.frame_locator("#card-frame iframe").locator("#cc-number")
    card.fill("4111111111111111")
    site.world.tell(PaymentLinkRevoked(link_id=LINK, payment_id=PAYMENT))
    expect(page.get_by_role("heading", name="took this link back")).to_be_visible()
    expect(page.get_by_label("City")).to_have_value("Springfield")
    expect(card).to_have_value(re.compile("^4111"))


def test_a_page_that_nobody_looks_at_asks_for_nothing(page: Page, site: PortalSite) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/news/" in request.url:
            asked.append(request.url)

    _authorize(site)
    page.goto(f"{site.address}/pay/{LINK}/status")
    hide = "(hidden) => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true }); "
    hide += "document.dispatchEvent(new Event('visibilitychange')); }"
    page.evaluate(hide, True)
    page.on("request", note)
    page.clock.install()
    page.clock.run_for(120_000)
    assert asked == []
    with page.expect_request("**/news/**"):
        page.evaluate(hide, False)
