"""The client's way in a real browser, with the real secure frame beside the portal."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from chassis import errors
from protos.wayvault.events.v1.events_pb2 import PaymentAuthorized
from services.portal.orm import drafts
from tests.support.browser import chromium
from tests.support.portal import LINK, PAYMENT, TOKEN, context
from tests.support.portal_site import PortalSite, portal_site

PAN = "4111111111111111"
AXE = Path("chassis/web/static/vendor/axe.min.js")
PATIENCE = 20_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def site(tmp_path: Path) -> Iterator[PortalSite]:
    with portal_site(tmp_path) as served:
        served.world.issue()
        yield served


@pytest.fixture(params=[390, 1280], ids=["phone", "desktop"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    opened = browser.new_context(viewport={"width": request.param, "height": 844}, bypass_csp=False)
    made = opened.new_page()
    made.set_default_timeout(PATIENCE)
    yield made
    opened.close()


def open_link(page: Page, site: PortalSite) -> None:
    page.goto(f"{site.address}/pay/{LINK}#{TOKEN}")
    page.get_by_role("button", name="Open payment request").click()
    page.wait_for_url("**/authorize")


def type_card(page: Page, expiry: str = "12/39") -> None:
    frame = page.frame_locator("#card-frame iframe")
    frame.locator("#cc-number").fill(PAN)
    frame.locator("#cc-exp").fill(expiry)
    frame.locator("#cc-csc").fill("123")
    frame.locator("#cc-name").fill("Grace Hopper")


def type_rest(page: Page) -> None:
    page.get_by_label("Country").select_option("US")
    page.get_by_label("Address", exact=True).fill("12 Long Lane")
    page.get_by_label("City").fill("Springfield")
    page.get_by_label("ZIP or postal code").fill("62701")
    # By keyboard: the choice between drawing and typing is a radio group.
    page.locator('[name="signature_tab"][value="drawn"]').focus()
    page.keyboard.press("ArrowRight")
    page.get_by_label("Type your full name").fill("Grace Hopper")
    page.get_by_label(re.compile("^I have read these terms")).check()


def press(page: Page) -> None:
    button = page.get_by_role("button", name=re.compile("^Authorize US"))
    expect(button).not_to_have_attribute("aria-busy", "true")
    # By keyboard: what the frame says about a field moves the button, and a pointer would have to follow it.
    button.focus()
    page.keyboard.press("Enter")


def test_a_scanner_that_runs_scripts_opens_nothing(site: PortalSite, browser: Browser) -> None:
    scanner = browser.new_page()
    for _ in range(20):
        scanner.goto(f"{site.address}/pay/{LINK}#{TOKEN}", wait_until="networkidle")
    scanner.close()
    assert site.world.published() == []
    assert site.world.intake.opened == []


def test_a_client_authorizes_and_her_card_reaches_only_the_vault(page: Page, site: PortalSite, tmp_path: Path) -> None:
    open_link(page, site)
    type_card(page)
    type_rest(page)
    press(page)
    page.wait_for_url("**/status")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you. Your authorization is in.")
    assert [(card["pan"], card["cvv"], card["name"]) for card in site.cards] == [(PAN, "123", "Grace Hopper")]
    with page.expect_download() as download:
        page.get_by_role("link", name="Download your signed copy").click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")
    for file in tmp_path.iterdir():
        assert PAN.encode() not in file.read_bytes()


def test_everything_that_is_missing_is_said_at_once_and_what_was_typed_stays(page: Page, site: PortalSite) -> None:
    open_link(page, site)
    page.get_by_label("City").fill("Springfield")
    press(page)
    summary = page.locator("#summary")
    expect(summary).to_be_focused()
    for words in ("Enter the card number", "Enter the ZIP", "draw your signature", "Tick the box"):
        expect(summary).to_contain_text(words)
    # All that the frame found, too: as many things as are counted.
    for words in ("expiry", "security code", "name as it stands on the card"):
        expect(summary).to_contain_text(words)
    count = summary.get_by_role("listitem").count()
    expect(summary).to_contain_text(f"Please check {count} things")
    expect(page.get_by_label("City")).to_have_value("Springfield")
    expect(page.get_by_label("ZIP")).to_have_attribute("aria-invalid", "true")
    assert site.world.intake.stores == 0


def test_a_card_the_vault_refuses_a_vault_that_is_down_and_a_used_slot_lose_nothing(
    page: Page, site: PortalSite
) -> None:
    open_link(page, site)
    type_card(page)
    type_rest(page)
    summary = page.locator("#summary")
    site.world.intake.refuse = errors.CardInvalid("This card has expired.", field="exp")
    press(page)
    expect(summary).to_contain_text("This card has expired.", timeout=PATIENCE)
    expect(page.frame_locator("#card-frame iframe").locator("#cc-number")).to_have_value("4111 1111 1111 1111")
    site.world.intake.down = True
    press(page)
    expect(summary).to_contain_text("everything you typed is kept", timeout=PATIENCE)
    site.world.intake.down = False
    site.world.intake.refuse = errors.IntakeUsed()
    press(page)
    page.wait_for_url("**/status")
    assert len(site.cards) == 1
    assert [type(message) for message in site.world.published()].count(PaymentAuthorized) == 1


def test_a_page_that_was_open_for_too_long_keeps_all_but_the_card(site: PortalSite, browser: Browser) -> None:
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    open_link(page, site)
    type_card(page)
    type_rest(page)
    site.world.clock.advance(timedelta(minutes=61))
    press(page)
    expect(page.locator("#summary")).to_contain_text("What you typed will stand there")
    with site.world.database.read() as session:
        (kept,) = session.execute(select(drafts.c.sealed)).scalars()
    assert "Long Lane" not in kept
    page.goto("about:blank")
    open_link(page, site)
    expect(page.get_by_text("You are back.")).to_be_visible()
    expect(page.get_by_label("Address", exact=True)).to_have_value("12 Long Lane")
    expect(page.get_by_label("Type your full name")).to_have_value("Grace Hopper")
    expect(page.frame_locator("#card-frame iframe").locator("#cc-number")).to_have_value("")
    type_card(page)
    press(page)
    page.wait_for_url("**/status")
    assert [card["pan"] for card in site.cards] == [PAN]
    page.close()


def test_a_renewed_sealing_key_asks_for_the_card_once_more_and_keeps_the_rest(page: Page, site: PortalSite) -> None:
    open_link(page, site)
    type_card(page)
    type_rest(page)
    site.world.intake.refuse = errors.SealBroken()
    press(page)
    expect(page.locator("#summary")).to_contain_text("Enter the card again", timeout=PATIENCE)
    expect(page.get_by_label("Address", exact=True)).to_have_value("12 Long Lane")
    type_card(page)
    press(page)
    page.wait_for_url("**/status")
    assert len(site.cards) == 1


def test_a_page_opened_while_the_vault_was_down_gets_its_card_form_later(page: Page, site: PortalSite) -> None:
    site.world.intake.down = True
    open_link(page, site)
    expect(page.locator("#card-trouble")).to_contain_text("can't be reached")
    site.world.intake.down = False
    page.get_by_role("button", name="Try again").click()
    type_card(page)
    type_rest(page)
    press(page)
    page.wait_for_url("**/status")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible_and_fits_a_phone(site: PortalSite, browser: Browser, scheme: str) -> None:
    site.world.issue("lnk_exp", token="e", days=0, about=context("pay_e"))
    opened = browser.new_context(
        viewport={"width": 390, "height": 844}, color_scheme="dark" if scheme == "dark" else "light", bypass_csp=True
    )
    page = opened.new_page()
    page.set_default_timeout(PATIENCE)
    found = []
    for path in (f"/pay/{LINK}", "/pay/lnk_exp", "/pay/lnk_none", "/"):
        page.goto(site.address + path)
        found += _faults(page, path)
    open_link(page, site)
    page.wait_for_selector("#card-frame.is-ready")
    found += _faults(page, "authorize")
    press(page)
    page.wait_for_selector("#summary:not([hidden])")
    found += _faults(page, "authorize with errors")
    type_card(page)
    type_rest(page)
    press(page)
    page.wait_for_url("**/status")
    found += _faults(page, f"status of {PAYMENT}")
    opened.close()
    assert found == []


def _faults(page: Page, name: str) -> list[str]:
    """Serious findings of axe-core, and sideways scrolling."""
    page.evaluate(AXE.read_text("utf-8"))
    result = page.evaluate("axe.run(document, {iframes: false, resultTypes: ['violations']})")
    found = [f"{name}: {one['id']}" for one in result["violations"] if one["impact"] in ("serious", "critical")]
    if not page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
        found.append(f"{name}: scrolls sideways")
    return found
