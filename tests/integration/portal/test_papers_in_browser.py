"""Documents and insurance offers in a real browser: read, drawn, signed, downloaded, and known again (C7, C8)."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from protos.wayvault.events.v1.events_pb2 import EsignSigned, InsuranceDecided
from tests.support.browser import chromium
from tests.support.portal_papers import OFFER, REQUEST, TOKEN, offer_insurance, request_document
from tests.support.portal_site import PortalSite, portal_site

PATIENCE = 20_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def site(tmp_path: Path) -> Iterator[PortalSite]:
    with portal_site(tmp_path) as served:
        yield served


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    opened = browser.new_context(viewport={"width": 390, "height": 844})
    made = opened.new_page()
    made.set_default_timeout(PATIENCE)
    yield made
    opened.close()


def draw(page: Page) -> None:
    pad = page.locator("canvas")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 30, box["y"] + 90)
    page.mouse.down()
    for step in range(1, 12):
        page.mouse.move(box["x"] + 30 + step * 20, box["y"] + (50 if step % 2 else 100))
    page.mouse.up()


def ink(page: Page) -> int:
    """How many pixels of the pad are drawn on."""
    return int(
        page.evaluate(
            """() => { const pad = document.querySelector('canvas');
            const data = pad.getContext('2d').getImageData(0, 0, pad.width, pad.height).data;
            return data.filter((value, index) => index % 4 === 3 && value > 0).length; }"""
        )
    )


def check(page: Page, site: PortalSite, file: Path) -> str:
    page.goto(f"{site.address}/verify")
    page.get_by_label("The signed PDF").set_input_files(file)
    page.get_by_role("button", name="Check document").click()
    return page.locator("#result").inner_text()


def test_a_document_is_signed_by_hand_and_its_pdf_is_known_again(site: PortalSite, phone: Page, tmp_path: Path) -> None:
    request_document(site.world)
    phone.goto(f"{site.address}/sign/{REQUEST}#{TOKEN}")
    phone.get_by_role("button", name="Open the document").click()
    draw(phone)
    phone.get_by_role("button", name="Sign “").click()
    expect(phone.get_by_text("Tick the box to show that you agree.")).to_be_visible()
    assert ink(phone) > 100, "what was drawn is not lost"
    phone.get_by_label(re.compile("^I have read this document")).check()
    phone.get_by_role("button", name="Sign “").click()
    expect(phone.get_by_role("heading", name="is signed")).to_be_visible()
    with phone.expect_download() as download:
        phone.get_by_role("link", name="Download your copy").click()
    signed = tmp_path / "signed.pdf"
    download.value.save_as(signed)
    event = site.world.published()[-1]
    assert isinstance(event, EsignSigned)
    assert (event.signature_kind, event.pdf) == ("drawn", signed.read_bytes())

    assert "Genuine" in check(phone, site, signed)
    altered = tmp_path / "altered.pdf"
    content = bytearray(signed.read_bytes())
    content[len(content) // 2] ^= 1
    altered.write_bytes(content)
    assert "Altered" in check(phone, site, altered)


def test_an_offer_is_declined_by_hand(site: PortalSite, phone: Page) -> None:
    offer_insurance(site.world)
    phone.goto(f"{site.address}/insurance/{OFFER}#{TOKEN}")
    phone.get_by_role("button", name="Open the offer").click()
    draw(phone)
    phone.get_by_role("button", name="Sign and send your answer").click()
    expect(phone.get_by_text("Say whether you want the insurance.")).to_be_visible()
    phone.get_by_label("No, I travel without it").check()
    phone.get_by_label(re.compile("^I have read this offer")).check()
    phone.get_by_role("button", name="Sign and send your answer").click()
    expect(phone.get_by_role("heading", name="You have declined Aurora Travel Care")).to_be_visible()
    event = site.world.published()[-1]
    assert isinstance(event, InsuranceDecided)
    assert not event.accepted


def test_what_was_drawn_before_the_session_ended_stands_there_again_and_signs(site: PortalSite, phone: Page) -> None:
    request_document(site.world)
    address = f"{site.address}/sign/{REQUEST}#{TOKEN}"
    phone.goto(address)
    phone.get_by_role("button", name="Open the document").click()
    draw(phone)
    drawn = ink(phone)
    phone.get_by_label(re.compile("^I have read this document")).check()
    site.world.clock.advance(timedelta(minutes=61))
    phone.get_by_role("button", name="Sign “").click()
    phone.goto(address)
    phone.get_by_role("button", name="Open the document").click()
    expect(phone.get_by_text("what you had typed stands here")).to_be_visible()
    expect(phone.get_by_role("radio", name="Draw")).to_be_checked()
    phone.wait_for_function("() => { const pad = document.querySelector('canvas'); return pad.width > 300; }")
    assert ink(phone) >= drawn, "the picture is on white"
    phone.get_by_role("button", name="Sign “").click()
    expect(phone.get_by_role("heading", name="is signed")).to_be_visible()
    event = site.world.published()[-1]
    assert isinstance(event, EsignSigned)
    assert event.signature_kind == "drawn"
