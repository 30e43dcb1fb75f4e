"""An agent's day with lists: ordered, kept as a view, several rows at once and taken back, and the calendar outside."""

import re
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.e2e.conftest import World

_PATIENCE_MS: Final = 20_000
_TASKS: Final = ("Ask about the deck plan", "Send the packing list")


def test_a_list_is_ordered_by_its_headings_and_kept_as_a_view(world: World) -> None:
    page = world.agent().page
    page.goto(f"{world.crm}/clients")
    heading = page.get_by_role("columnheader", name="Client", exact=True)
    expect(heading).to_have_attribute("aria-sort", "ascending")
    names = page.locator("tbody td[data-label=Client] a")
    first = names.first.inner_text()
    heading.get_by_role("link").click()
    expect(heading).to_have_attribute("aria-sort", "descending")
    expect(names.first).not_to_have_text(first)
    page.get_by_role("link", name="Save this view").click()
    page.get_by_label("Name").fill("From the end")
    page.get_by_role("button", name="Save view").click()
    expect(page.get_by_text("“From the end” is saved.")).to_be_visible(timeout=_PATIENCE_MS)
    page.goto(f"{world.crm}/clients")
    expect(names.first).to_have_text(first)
    page.get_by_role("navigation", name="Saved views").get_by_role("link", name="From the end").click()
    expect(heading).to_have_attribute("aria-sort", "descending")
    page.get_by_role("link", name="Rename or delete").click()
    page.get_by_role("button", name="Delete this view").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("“From the end” is deleted.")).to_be_visible(timeout=_PATIENCE_MS)


def test_several_tasks_are_done_at_once_and_taken_back(world: World) -> None:
    page = world.agent().page
    for title in _TASKS:
        _add_task(page, world, title)
    page.goto(f"{world.crm}/tasks")
    for title in _TASKS:
        page.get_by_role("checkbox", name=f"Tick: {title}").check()
    page.get_by_role("button", name="Done…").click()
    expect(page.get_by_role("heading", level=1, name="Are 2 tasks done?")).to_be_visible(timeout=_PATIENCE_MS)
    page.get_by_role("button", name="Mark 2 tasks as done").click()
    expect(page.get_by_role("heading", level=1, name="2 tasks done")).to_be_visible(timeout=_PATIENCE_MS)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", level=1, name="2 tasks taken up again")).to_be_visible(timeout=_PATIENCE_MS)
    page.get_by_role("link", name="Back to the tasks").click()
    for title in _TASKS:
        page.get_by_role("button", name=f"Done: {title}").click()
        expect(page.get_by_text(f"Done: {title}").first).to_be_visible(timeout=_PATIENCE_MS)


def test_another_calendar_reads_an_agents_days_until_the_address_is_made_anew(world: World) -> None:
    page = world.agent().page
    _add_task(page, world, "Confirm the transfer")
    page.goto(f"{world.crm}/calendar")
    shown = page.get_by_role("heading", level=1).inner_text()
    page.get_by_role("link", name="Next month").click()
    expect(page.get_by_role("heading", level=1)).not_to_have_text(shown)
    page.get_by_role("link", name="Subscribe").click()
    old = _make_address(page)
    status, text = _read(old)
    assert status == 200
    assert "To do: Confirm the transfer" in text
    page.goto(f"{world.crm}/calendar/subscribe")
    fresh = _make_address(page)
    assert (_read(old)[0], _read(fresh)[0]) == (404, 200)
    page.get_by_role("button", name="End the address").click()
    expect(page.get_by_text("The address has ended.")).to_be_visible(timeout=_PATIENCE_MS)
    assert _read(fresh)[0] == 404


def _read(address: str) -> tuple[int, str]:
    """Status and text of what a calendar gets: no browser, no session, lines unfolded."""
    parts = urlsplit(address)
    # Only browsers know that names in .localhost are this machine.
    near = parts._replace(netloc=f"127.0.0.1:{parts.port}").geturl()
    try:
        with urllib.request.urlopen(urllib.request.Request(near, headers={"Host": parts.netloc})) as answer:
            return answer.status, answer.read().decode().replace("\r\n ", "")
    except urllib.error.HTTPError as error:
        return error.code, ""


def _make_address(page: Page) -> str:
    page.get_by_role("button", name=re.compile("^Make a")).click()
    address = page.get_by_label("Calendar address")
    expect(address).to_be_visible(timeout=_PATIENCE_MS)
    return address.input_value()


def _add_task(page: Page, world: World, title: str) -> None:
    page.goto(f"{world.crm}/tasks/new?from=list")
    page.get_by_label("What is to be done").fill(title)
    page.get_by_label("By when").fill(f"{datetime.now(UTC) + timedelta(days=3):%Y-%m-%d}")
    page.get_by_label("For whom").fill("eleanor whitcombe")
    page.get_by_role("button", name="Add task").click()
    expect(page.get_by_text(f"“{title}” is on your list")).to_be_visible(timeout=_PATIENCE_MS)
