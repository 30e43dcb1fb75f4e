"""Documents on their way: sent from a booking, signed on a phone, checked by anybody; insurance answered (C7, C8)."""

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from tests.e2e.album import Album
from tests.e2e.conftest import ARTIFACTS, PHONE, World
from tests.e2e.people import BOOKING, ELEANOR, AgentAtWork, wait_until

_LONG_MS: Final = 20_000


def _new_document(world: World, agent: AgentAtWork) -> str:
    """Writes a document in the editor, with a tag put in by its button, and gives its title."""
    page = agent.page
    title = f"House rules of {datetime.now(UTC):%H:%M:%S.%f}"
    page.goto(f"{world.crm}/signatures/library/new")
    page.get_by_label("Title").fill(title)
    body = page.get_by_label("Text", exact=True)
    body.fill("Agreed by ")
    page.get_by_role("button", name="ClientName", exact=True).click()
    expect(body).to_have_value("Agreed by {ClientName}")
    body.press_sequentially(" & {AgencyName}: <b>no running</b> on deck.")
    expect(page.locator("#preview")).to_contain_text("& Harbour & Vine Travel: <b>no running</b> on deck.")
    page.get_by_role("button", name="Save document").click()
    expect(page.get_by_text("is in your library")).to_be_visible()
    return title


def _send(agent: AgentAtWork, title: str) -> str:
    """Sends the document to Eleanor; the booking's address."""
    page = agent.page
    agent.open_booking(BOOKING)
    booking = page.url
    page.get_by_role("link", name="Send a document").click()
    page.get_by_label(title).check()
    page.get_by_role("button", name="Send document").click()
    expect(page.get_by_text("is on its way to 1 passenger")).to_be_visible()
    return booking


def _open(page: Page, link: str, button: str) -> None:
    """From the mail. An e-mail may be faster than the portal's own news of the request."""
    opens = page.get_by_role("button", name=button)

    def is_known() -> bool:
        page.goto("about:blank")
        page.goto(link)
        return opens.is_visible()

    wait_until(page, is_known, "the portal to know the request")


def _sign_by_hand(page: Page, button: str) -> None:
    # Whoever signed before is first offered their signature on file.
    page.get_by_role("radiogroup", name="How you sign").get_by_role("radio", name="Draw").press("Space")
    pad = page.locator("canvas").first
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 30, box["y"] + 90)
    page.mouse.down()
    for step in range(1, 12):
        page.mouse.move(box["x"] + 30 + step * 20, box["y"] + (50 if step % 2 else 100))
    page.mouse.up()
    page.get_by_label(re.compile("^I have read this")).check()
    page.get_by_role("button", name=button).click()


@pytest.fixture
def album(world: World) -> Iterator[Album]:
    made = Album(folder=ARTIFACTS / "screens" / world.stack.engine, faults=[])
    yield made
    assert not made.faults, "\n".join(dict.fromkeys(made.faults))


def _glance(album: Album, page: Page, name: str) -> None:
    album.glance(page, name)
    page.set_viewport_size(PHONE)


def _check(world: World, page: Page, file: Path) -> str:
    page.goto(f"{world.portal}/verify")
    page.get_by_label("The signed PDF").set_input_files(file)
    page.get_by_role("button", name="Check document").click()
    return page.locator("#result").inner_text()


def test_a_form_to_be_signed_by_hand_is_looked_at_and_downloaded(world: World, album: Album, tmp_path: Path) -> None:
    agent = world.agent()
    page = agent.page
    agent.open_booking(BOOKING)
    page.get_by_role("link", name="Send a document").click()
    page.get_by_role("link", name="Print a form").click()
    expect(page.get_by_text("Please don't write a card number on this form.")).to_be_visible()
    album.look(page, "crm-print-form")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download (PDF)").click()
    form = tmp_path / "form.pdf"
    download.value.save_as(form)
    words = "".join(sheet.extract_text().replace("\0", "") for sheet in PdfReader(io.BytesIO(form.read_bytes())).pages)
    assert "Place and date" in words
    assert "Please don't write a card number on this form." in words


def test_a_document_is_sent_signed_on_a_phone_and_known_again(world: World, album: Album, tmp_path: Path) -> None:
    agent = world.agent()
    title = _new_document(world, agent)
    booking = _send(agent, title)
    link = world.mailbox.take(agent.page, ELEANOR, f"Please sign “{title}”").link("/sign/")

    phone = world.client(phone=True).page
    _open(phone, link, "Open the document")
    _glance(album, phone, "portal-sign-landing")
    phone.get_by_role("button", name="Open the document").click()
    _glance(album, phone, "portal-sign-read")
    expect(phone.locator("#text")).to_contain_text(
        "Agreed by Eleanor Whitcombe & Harbour & Vine Travel: <b>no running</b>"
    )
    phone.get_by_role("button", name="Sign “").click()
    expect(phone.get_by_text("Tick the box to show that you agree.").first).to_be_visible()
    _sign_by_hand(phone, f"Sign “{title}”")
    expect(phone.get_by_role("heading", name="is signed")).to_be_visible(timeout=_LONG_MS)
    with phone.expect_download() as download:
        phone.get_by_role("link", name="Download your copy").click()
    signed = tmp_path / "signed.pdf"
    download.value.save_as(signed)
    words = "".join(page.extract_text().replace("\0", "") for page in PdfReader(io.BytesIO(signed.read_bytes())).pages)
    assert "Certificate of signature" in words

    copy = world.mailbox.take(agent.page, ELEANOR, f"Signed: “{title}”")
    assert copy.attachments == ("signed-document.pdf",)
    world.mailbox.take(agent.page, agent.account.email, f"has signed “{title}”")

    def booking_knows() -> bool:
        agent.page.goto(booking)
        return agent.page.get_by_role("link", name=f"Signed PDF of {title}").is_visible()

    wait_until(agent.page, booking_knows, "the booking to show what was signed")

    stranger = world.window()
    assert "Genuine" in _check(world, stranger, signed)
    assert "Whitcombe" not in stranger.locator("main").inner_text()
    altered = tmp_path / "altered.pdf"
    content = bytearray(signed.read_bytes())
    content[len(content) // 2] ^= 1
    altered.write_bytes(content)
    assert "Altered" in _check(world, stranger, altered)


def test_a_request_that_was_taken_back_says_so(world: World) -> None:
    agent, client = world.agent(), world.client().page
    title = _new_document(world, agent)
    _send(agent, title)
    link = world.mailbox.take(agent.page, ELEANOR, f"Please sign “{title}”").link("/sign/")
    agent.page.get_by_role("button", name=f"Take back {title}").click()
    agent.page.get_by_role("dialog").get_by_role("button", name="Take back").click()
    expect(agent.page.get_by_text("is taken back").first).to_be_visible()

    def is_closed() -> bool:
        client.goto(link)
        return client.get_by_role("heading", name="Maya Okafor took this request back").is_visible()

    wait_until(client, is_closed, "the portal to hear that it was taken back")


def test_insurance_is_offered_declined_and_seen_on_the_booking(world: World, album: Album) -> None:
    agent = world.agent()
    page = agent.page
    plan = f"Voyager Care {datetime.now(UTC):%H%M%S%f}"
    agent.open_booking(BOOKING)
    booking = page.url
    page.get_by_role("link", name="Offer insurance").click()
    page.get_by_label("Insurance plan").fill(plan)
    page.get_by_label("Price").fill("212")
    for box in page.locator(".pay-people input[type=checkbox]:enabled").all()[1:]:
        box.uncheck()
    page.get_by_role("button", name="Send offer").click()
    expect(page.get_by_text("is on its way to 1 passenger")).to_be_visible()
    link = world.mailbox.take(page, ELEANOR, "Travel insurance").link("/insurance/")

    phone = world.client(phone=True).page
    _open(phone, link, "Open the offer")
    album.photograph(phone, "portal-insurance-landing")
    phone.get_by_role("button", name="Open the offer").click()
    _glance(album, phone, "portal-insurance-read")
    phone.get_by_label("No, I travel without it").check()
    _sign_by_hand(phone, "Sign and send your answer")
    expect(phone.get_by_role("heading", name=f"You have declined {plan}")).to_be_visible(timeout=_LONG_MS)
    answer = world.mailbox.take(page, agent.account.email, f"declined {plan}")
    assert answer.attachments == ("insurance-answer.pdf",)

    def booking_knows() -> bool:
        page.goto(booking)
        return page.locator("#insurance tr", has_text=plan).get_by_text("Declined").is_visible()

    wait_until(page, booking_knows, "the booking to show the answer")
