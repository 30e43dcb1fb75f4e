"""A client in the portal: trips, a payment that they start on their phone, documents, their calendar (P3, P4, P8)."""

import re
from typing import Final

from icalendar import Calendar
from playwright.sync_api import expect

from tests.e2e.album import Album
from tests.e2e.conftest import ARTIFACTS, World
from tests.e2e.people import BOOKING, ROBERT, ClientAtHome, wait_until
from tests.e2e.portal_people import client_with_account
from tests.support.office_files import pdf

_NAME: Final = "Robert Whitcombe"
_PATIENCE_MS: Final = 20_000


def test_a_client_pays_a_part_of_her_trip_herself_and_her_agent_is_alerted(world: World) -> None:
    client = ClientAtHome(page=client_with_account(world, ROBERT, phone=True))
    page = client.page
    page.goto(f"{world.portal}/trips")
    page.get_by_role("link", name=BOOKING).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Add to calendar").click()
    entries = Calendar.from_ical(download.value.path().read_bytes()).walk("VEVENT")
    assert any("Aurora Cruises" in str(entry["SUMMARY"]) for entry in entries)

    page.get_by_role("link", name="Add payment to Aurora Cruises").click()
    page.get_by_role("radio", name=re.compile("^All that is left")).check()
    expect(page.get_by_label("Amount")).not_to_have_value("")
    part = page.get_by_role("radio", name=re.compile("^A part of it"))
    part.check()
    expect(page.get_by_label("Amount")).to_have_value("")
    page.get_by_label("Amount").fill("99,999.00")
    # As where both were done before the page's scripts listened (early.js).
    part.dispatch_event("change")
    expect(page.get_by_label("Amount")).to_have_value("99,999.00")
    page.get_by_role("button", name="Go on to card and signature").click()
    expect(page.get_by_text("is left to pay").first).to_be_visible()
    Album(folder=ARTIFACTS / "screens" / world.stack.engine, faults=[]).photograph(page, "portal-pay-part-with-errors")
    page.get_by_label("Amount").fill("317.45")
    page.get_by_role("button", name="Go on to card and signature").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("US$ 317.45")
    client.fill_card(name=_NAME)
    client.fill_address()
    client.sign_by_typing(_NAME)
    client.submit()
    client.expect_thanks()

    agent = world.agent()
    agent.page.goto(world.crm)
    expect(agent.pending_alert()).to_be_visible(timeout=_PATIENCE_MS)
    query = "SELECT id FROM payment WHERE amount_minor = 31745"
    payment = str(world.stack.query("crm", query)[0][0])
    world.until_authorized(agent, payment)
    expect(agent.page.get_by_text("US$ 317.45").first).to_be_visible()
    world.mailbox.take(agent.page, agent.account.email, "317.45")
    assert world.card_of(payment) == "stored"
    page.goto(f"{world.portal}/payments")
    expect(page.get_by_role("link", name=re.compile(r"US\$ 317\.45"))).to_be_visible()


def test_a_shared_document_reaches_the_traveler_and_can_be_taken_back(world: World) -> None:
    page = client_with_account(world, ROBERT)
    page.goto(f"{world.portal}/trips")
    agent = world.agent()
    agent.open_booking(BOOKING)
    booking = agent.page.url.partition("#")[0]
    agent.page.goto(f"{booking}/documents/new")
    agent.page.get_by_label("File").set_input_files(
        {"name": "vouchers.pdf", "mimeType": "application/pdf", "buffer": pdf("Voucher for two")}
    )
    agent.page.get_by_label("Title").fill("Vouchers for Bergen")
    agent.page.get_by_role("button", name="Share document").click()
    expect(agent.page.get_by_text("“Vouchers for Bergen” is shared.")).to_be_visible(timeout=_PATIENCE_MS)

    link = world.mailbox.take(agent.page, ROBERT, "Vouchers for Bergen").link("/trips/")
    page.goto(link)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download Vouchers for Bergen").click()
    assert download.value.suggested_filename == "vouchers.pdf"
    assert download.value.path().read_bytes().startswith(b"%PDF-")

    agent.page.get_by_role("button", name="Take back Vouchers for Bergen").click()
    agent.page.get_by_role("dialog").get_by_role("button", name="Take it back").click()
    expect(agent.page.get_by_text("was taken back")).to_be_visible(timeout=_PATIENCE_MS)

    def is_gone() -> bool:
        page.goto(f"{world.portal}/documents")
        return page.get_by_text("Vouchers for Bergen").count() == 0

    wait_until(page, is_gone, "the document to be gone from the portal")


def test_an_itinerary_is_shared_read_without_an_account_and_taken_back(world: World) -> None:
    agent = world.agent()
    agent.open_booking(BOOKING)
    page, album = agent.page, Album(folder=ARTIFACTS / "screens" / world.stack.engine, faults=[])
    page.get_by_role("link", name="Itinerary").click()
    expect(page.get_by_text("Fly with Nordlys Airways")).to_be_visible()
    page.get_by_role("link", name="Share itinerary").click()
    page.get_by_role("checkbox", name=_NAME).check()
    page.get_by_role("button", name="Make the link").click()
    expect(page.get_by_label(f"Itinerary link for {_NAME}")).to_have_value(re.compile(r"/itinerary/itin_\w+#"))
    album.look(page, "crm-itinerary-shared")

    reader = world.watch(world.browser.new_context().new_page())
    reader.goto(world.mailbox.take(page, ROBERT, "Your itinerary").link("/itinerary/"))
    expect(reader.get_by_role("button", name="See the trip")).to_be_enabled(timeout=_PATIENCE_MS)
    album.look(reader, "portal-itinerary-landing")
    reader.get_by_role("button", name="See the trip").click()
    expect(reader.get_by_role("heading", name=BOOKING)).to_be_visible()
    expect(reader.get_by_text("Board Aurora Cruises")).to_be_visible()
    album.look(reader, "portal-itinerary-shared")

    page.get_by_role("link", name="Done").click()
    album.look(page, "crm-itinerary-links")
    page.get_by_role("button", name=f"Revoke the link for {_NAME}").click()
    expect(page.get_by_text("The link no longer works.")).to_be_visible()

    def is_closed() -> bool:
        reader.reload()
        return reader.get_by_text("took this link back").count() == 1

    wait_until(reader, is_closed, "the link to be closed in the portal")
    assert album.faults == []
    reader.context.close()
