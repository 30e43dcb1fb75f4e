"""A client tells of a bank transfer, their agent confirms it, and takes it back when it was a mistake (C6)."""

from typing import Final

from playwright.sync_api import expect

from tests.e2e.album import Album
from tests.e2e.conftest import ARTIFACTS, World
from tests.e2e.people import BOOKING, ROBERT, wait_until
from tests.e2e.portal_people import client_with_account

_AMOUNT: Final = "US$ 41.23"


def test_a_payment_made_otherwise_is_reported_confirmed_receipted_and_taken_back(world: World) -> None:
    page = client_with_account(world, ROBERT, phone=True)
    album = Album(folder=ARTIFACTS / "screens" / world.stack.engine, faults=[])
    page.goto(f"{world.portal}/trips")
    page.get_by_role("link", name=BOOKING).click()
    page.get_by_role("link", name="Paid another way? Aurora Cruises").click()
    page.get_by_label("Bank transfer").check()
    page.get_by_label("Amount").fill("41.23")
    page.get_by_role("button", name="Tell ").click()
    expect(page.get_by_text("Enter the day on which you paid.").first).to_be_visible()
    expect(page.get_by_label("Amount")).to_have_value("41.23")
    album.photograph(page, "portal-report-with-errors")
    page.get_by_label("Paid on").fill("2026-01-15")
    page.get_by_label("Reference").fill("TRX 4711")
    page.get_by_role("button", name="Tell ").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("has been told")
    theirs = page.url
    album.photograph(page, "portal-payment-reported")

    agent = world.agent()
    world.mailbox.take(agent.page, agent.account.email, "41.23")

    def is_told() -> bool:
        agent.page.goto(world.crm)
        return agent.page.get_by_role("heading", name="Reported by clients").count() > 0

    wait_until(agent.page, is_told, "the report stands on the dashboard")
    agent.page.locator("#reported").get_by_role("row").filter(has_text=_AMOUNT).get_by_role("link").first.click()
    album.photograph(agent.page, "crm-recorded-payment-reported")
    reported = agent.page.url
    agent.page.get_by_role("link", name="Not found").click()
    album.photograph(agent.page, "crm-recorded-payment-not-found")
    agent.page.goto(reported)
    agent.page.get_by_role("button", name="Confirm this payment").click()
    expect(agent.page.get_by_text("Confirmed. The payment counts from now on")).to_be_visible()

    def has_receipt() -> bool:
        page.goto(theirs)
        return page.get_by_role("link", name="See the receipt").count() > 0

    wait_until(page, has_receipt, "the portal hears that it was confirmed")
    agent.page.get_by_role("link", name="Void: it was a mistake").click()
    album.photograph(agent.page, "crm-recorded-payment-void")
    agent.page.get_by_label("Why?").fill("The transfer was for another trip.")
    agent.page.get_by_role("button", name="Void this payment").click()
    expect(agent.page.get_by_text("The transfer was for another trip.")).to_be_visible()
    album.photograph(agent.page, "crm-recorded-payment-voided")

    def is_taken_back() -> bool:
        page.goto(theirs)
        return page.get_by_text("The transfer was for another trip.").count() > 0

    wait_until(page, is_taken_back, "the portal hears that it was taken back")
