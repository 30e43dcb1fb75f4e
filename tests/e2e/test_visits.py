"""Everything in one visit: the agent asks, the client gives all of it on a phone, the agent sees all of it (C18)."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.album import Album
from tests.e2e.conftest import ARTIFACTS, PHONE, World
from tests.e2e.people import BOOKING, ELEANOR, AgentAtWork, ClientAtHome, wait_until

_LONG_MS: Final = 20_000


@pytest.fixture
def album(world: World) -> Iterator[Album]:
    made = Album(folder=ARTIFACTS / "screens" / world.stack.engine, faults=[])
    yield made
    assert not made.faults, "\n".join(dict.fromkeys(made.faults))


def _new_document(world: World, agent: AgentAtWork) -> str:
    page = agent.page
    title = f"Cabin rules of {datetime.now(UTC):%H:%M:%S.%f}"
    page.goto(f"{world.crm}/signatures/library/new")
    page.get_by_label("Title").fill(title)
    page.get_by_label("Text", exact=True).fill("Agreed by {ClientName}: no running on deck.")
    page.get_by_role("button", name="Save document").click()
    expect(page.get_by_text("is in your library")).to_be_visible()
    return title


def _ask(agent: AgentAtWork, album: Album, title: str, plan: str) -> str:
    """Fills in the form, looks at the preview, sends; the booking's address."""
    page = agent.page
    agent.open_booking(BOOKING)
    booking = page.url
    page.get_by_role("link", name="Ask for everything at once").click()
    page.get_by_role("radio", name="Eleanor Whitcombe").check()
    page.get_by_label("An insurance answer").check()
    page.get_by_label("Insurance plan").fill(plan)
    page.get_by_label("Price").fill("212")
    for box in page.locator("#documents input[type=checkbox]").all():
        box.uncheck()
    page.get_by_label(title).check()
    page.get_by_label("A payment").check()
    page.get_by_role("radio", name="Regular payment").check()
    page.get_by_label("Amount").fill("180.00")
    page.get_by_label("What is it for?").fill("Shore excursions")
    page.get_by_role("button", name="Preview e-mail").click()
    expect(page.locator("#mail")).to_contain_text(f"Read and sign “{title}”")
    overpay = page.get_by_label("Send it all the same")
    if overpay.count():
        overpay.check()
    album.look(page, "crm-visit-form", large_text=True)
    page.get_by_role("button", name="Send request").click()
    expect(page.get_by_text("The request is on its way to Eleanor Whitcombe")).to_be_visible(timeout=_LONG_MS)
    return booking


def _open(page: Page, link: str, album: Album) -> None:
    """From the mail. An e-mail may be faster than the portal's own news of the request."""
    opens = page.get_by_role("button", name="See what is asked")

    def is_known() -> bool:
        page.goto("about:blank")
        page.goto(link)
        return opens.is_visible()

    wait_until(page, is_known, "the portal to know the request")
    _glance(album, page, "portal-visit-landing")
    opens.click()


def _glance(album: Album, page: Page, name: str) -> None:
    album.glance(page, name)
    page.set_viewport_size(PHONE)


def _sign_with_the_adopted_signature(page: Page) -> None:
    page.get_by_role("radiogroup", name="How you sign").get_by_role("radio", name="On file").press("Space")
    page.locator("#signature-reuse").check()


def test_a_client_gives_everything_in_one_visit_on_a_phone(world: World, album: Album) -> None:
    agent = world.agent()
    title = _new_document(world, agent)
    plan = f"Voyager Care {datetime.now(UTC):%H%M%S%f}"
    booking = _ask(agent, album, title, plan)
    link = world.mailbox.take(agent.page, ELEANOR, "What your trip needs from you").link("/visit/")

    client: ClientAtHome = world.client(phone=True)
    phone = client.page
    _open(phone, link, album)
    expect(phone.get_by_text("0 of 3 done")).to_be_visible()
    album.look(phone, "portal-visit", large_text=True)
    phone.set_viewport_size(PHONE)
    phone.get_by_role("link", name=re.compile("^Begin")).click()

    phone.get_by_label("Yes, I want this insurance").check()
    client.sign_by_drawing()
    phone.get_by_role("button", name="Sign and send your answer").click()
    expect(phone.get_by_text("Step 2 of 3")).to_be_visible(timeout=_LONG_MS)
    _glance(album, phone, "portal-visit-document")

    # The browser is closed; the link leads back to where the client was.
    again: ClientAtHome = world.client(phone=True)
    phone = again.page
    phone.goto(link)
    phone.get_by_role("button", name="Go on").click()
    expect(phone.get_by_text("1 of 3 done")).to_be_visible()
    phone.get_by_role("link", name=f"Go on: {title}").click()
    expect(phone.locator("#text")).to_contain_text("Agreed by Eleanor Whitcombe: no running on deck.")
    _sign_with_the_adopted_signature(phone)
    again.consent()
    phone.get_by_role("button", name=f"Sign “{title}”").click()

    expect(phone.get_by_text("Step 3 of 3")).to_be_visible(timeout=_LONG_MS)
    again.fill_card()
    again.fill_address()
    _sign_with_the_adopted_signature(phone)
    again.consent()
    again.submit()
    expect(phone.get_by_role("heading", name=re.compile("All is done"))).to_be_visible(timeout=_LONG_MS)
    _glance(album, phone, "portal-visit-done")

    copies = world.mailbox.take(agent.page, ELEANOR, "Your copies")
    assert copies.attachments == (
        "1-insurance-answer.pdf",
        "2-signed-document.pdf",
        "3-credit-card-authorization.pdf",
    )
    own = [mail.subject for mail in world.mailbox.messages(ELEANOR) if title in mail.subject]
    assert own == [], "no copy of its own for each part"

    page = agent.page

    def booking_knows() -> bool:
        page.goto(booking)
        return page.locator("#visits tr", has_text=plan).get_by_text("3 of 3 done").is_visible()

    wait_until(page, booking_knows, "the booking to show that all is done")
    expect(agent.pending_alert()).to_be_visible()
    album.look(page, "crm-booking-with-visit")
    page.goto(f"{world.crm}/links")
    expect(page.locator("#visits tr", has_text=plan)).to_be_visible()
