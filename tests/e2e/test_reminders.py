"""What an agent does with reminders and reports: writes, tries and sends one; reads what is due and takes it along."""

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from playwright.sync_api import Page, expect

from tests.e2e.conftest import World
from tests.e2e.people import wait_until

NEW_YORK = ZoneInfo("America/New_York")
_DUE = re.compile(r"due \w{3} (\d{1,2} \w{3} \d{4})$")


def _furthest(page: Page, today: date) -> tuple[str, int]:
    """The value of the furthest date that a rule can reach, and how many days away it is."""
    found = []
    for option in page.get_by_label("Try it with").locator("option").all():
        match = _DUE.search(option.inner_text().strip())
        assert match, option.inner_text()
        due_on = datetime.strptime(match.group(1), "%d %b %Y").replace(tzinfo=NEW_YORK).date()
        found.append(((due_on - today).days, option.get_attribute("value") or ""))
    days, value = max(pair for pair in found if pair[0] < 170)
    return value, days


def test_an_agent_writes_tries_and_sends_a_reminder_and_reads_that_it_left(world: World) -> None:
    agent = world.agent()
    page = agent.page
    page.goto(f"{world.crm}/reminders")
    page.locator("#final_payment").get_by_role("link", name="Make my own").click()
    now = datetime.now(NEW_YORK)
    value, days = _furthest(page, now.date())
    page.get_by_label("Try it with").select_option(value)
    # So many days before the date that it is to leave now: before nine, what was to leave yesterday still does.
    page.get_by_label("Days before the date").fill(str(days + (1 if now.hour < 9 else 0)))
    page.get_by_label("Subject").fill("Soon off, {ClientFirstName}: {SupplierName}")

    page.get_by_role("button", name="Preview").click()
    preview = page.locator("#preview")
    expect(preview).to_contain_text("Soon off, ")
    expect(preview).not_to_contain_text("{")
    shown = preview.locator("h3").inner_text()
    address = re.search(r"<([^>]+)>", preview.inner_text())
    assert address, "the furthest date's lead passenger has no address"

    page.get_by_role("button", name="Send me a test").click()
    test = world.mailbox.take(page, agent.account.email, f"Test: {shown}")
    assert f"{address.group(1)} would get it like this" in test.text

    page.get_by_role("button", name="Save reminder").click()
    expect(page.locator("#final_payment")).to_contain_text("Your own")
    mail = world.mailbox.take(page, address.group(1), shown, seconds=60)
    assert mail.text.startswith("Dear ")

    def is_told() -> bool:
        page.goto(f"{world.crm}/reminders/log?sent=yes")
        return page.get_by_text(shown).count() > 0

    wait_until(page, is_told, "the log to say that it was sent", seconds=30)
    page.goto(f"{world.crm}/reminders")
    page.locator("#final_payment").get_by_role("button", name="Use the agency's again").click()
    expect(page.locator("#final_payment")).to_contain_text("The agency's")


def test_an_agent_reads_what_is_due_on_screen_and_as_a_file(world: World) -> None:
    page = world.agent().page
    page.goto(f"{world.crm}/reports")
    page.get_by_role("link", name="Payments due").click()
    page.get_by_label("To", exact=True).fill((datetime.now(NEW_YORK).date() + timedelta(days=300)).isoformat())
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("img", name=re.compile("Open payments by month")).first).to_be_visible()
    first = page.locator("table", has=page.get_by_text("Payments due", exact=True)).locator("tbody tr").first
    booking = first.get_by_role("link").inner_text()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    text = download.value.path().read_text("utf-8-sig")
    assert text.splitlines()[0].startswith("Due,What,Booking")
    assert booking in text


def test_an_agent_notes_a_commission_that_came_in(world: World) -> None:
    page = world.agent().page
    page.goto(f"{world.crm}/reports/commissions?state=outstanding")
    page.locator("tbody tr[data-wv-href]").first.get_by_role("link").click()
    expect(page.get_by_label("Amount")).not_to_have_value("")
    page.get_by_label("Reference").fill("Transfer 4711")
    page.get_by_role("button", name="Note commission").click()
    expect(page.locator("#received")).to_contain_text("Transfer 4711")
    page.get_by_role("button", name=re.compile("^Remove ")).last.click()
    page.get_by_role("dialog").get_by_role("button", name="Remove entry").click()
    expect(page.get_by_text("The entry is removed.")).to_be_visible()
