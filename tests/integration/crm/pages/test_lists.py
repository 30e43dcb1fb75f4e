"""Every list of the CRM: its headings order it and keep its state, and it can be had as a file (issue 11, 6 and 9)."""

import html
import re
from collections.abc import Iterator

import pytest

from tests.integration.access.entry import Door
from tests.integration.access.site import Site, furnished

# Pages with a table that is no list of things to take away, and why.
_NO_FILE = {
    "/": "the dashboard shows the first of lists that have files of their own",
    "/account": "one's own sessions and devices, to end them",
    "/agency": "the people of the agency are set up here; the office's trail has what they did, as a file",
    "/approvals": "decisions that wait; the trail of cards has them, as a file",
    "/clients/import": "one's own last imports, each with a file of what it refused",
    "/clients/merge": "two profiles to choose; the list of clients has a file",
    "/reminders": "the last of the log, which has a file",
    "/signatures/library": "texts, each with a page of its own",
    "/training/words": "a glossary",
}
_TABLE = re.compile(r'<table class="wv-table')
_FILES = re.compile(r'href="([^"]+\.(?:csv|xlsx)(?:\?[^"]*)?)"')
_HEADING = re.compile(r'<th scope="col" class="wv-ordered[^"]*"(?: aria-sort="(\w+)")?><a href="([^"]+)">')


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = furnished("crm", tmp_path_factory.mktemp("lists"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def lists(site: Site) -> dict[str, str]:
    """Every page with a table whose address names no object: what it shows whom it shows most."""
    found = {}
    for endpoint in site.endpoints():
        entry = site.entries[endpoint]
        if entry.door not in (Door.AGENTS, Door.ADMINS):
            continue
        for call in site.calls(endpoint, "GET"):
            if not re.search(r"\.\w+$", call.path):
                answer = site.browser(entry).get(call.path)
                if answer.mimetype == "text/html" and _TABLE.search(answer.text):
                    found[call.path] = answer.text
                answer.close()
    return found


def test_whatever_is_listed_can_be_taken_away_as_a_file(site: Site, lists: dict[str, str]) -> None:
    assert len(lists) > 15
    without = {path for path, page in lists.items() if not {".csv", ".xlsx"} <= _endings(page)}
    assert without == {path for path in _NO_FILE if path in lists}
    admin = site._browsers[Door.ADMINS]
    for path, page in lists.items():
        for address in {html.unescape(found) for found in _FILES.findall(page)}:
            answer = admin.get(address)
            assert (answer.status_code, "attachment" in answer.headers["Content-Disposition"]) == (200, True), path
            answer.close()


def _endings(page: str) -> set[str]:
    return {"." + address.partition("?")[0].rpartition(".")[2] for address in _FILES.findall(page)}


def test_a_heading_orders_its_list_and_once_more_turns_it_round(site: Site, lists: dict[str, str]) -> None:
    pressed = 0
    for path, page in lists.items():
        headings = _HEADING.findall(page)
        assert sum(bool(state) for state, _ in headings) <= 1, path
        browser = site._browsers[Door.ADMINS if path.startswith(("/audit", "/agency")) else Door.OWNER]
        for _, link in headings:
            address = html.unescape(link)
            for _turn in range(2):
                answer = browser.get(address)
                assert answer.status_code == 200, address
                states = {html.unescape(link): state for state, link in _HEADING.findall(answer.text)}
                (here,) = [(again, state) for again, state in states.items() if state]
                address = here[0]
                pressed += 1
    assert pressed > 60


@pytest.mark.parametrize(
    "path", ["/clients?q=gr&sort=email", "/links?show=submitted&sort=-client&page=1", "/payments?q=hop&sort=client"]
)
def test_filter_and_search_stay_when_a_heading_is_pressed(site: Site, path: str) -> None:
    page = site._browsers[Door.OWNER].get(path).text
    kept = path.partition("?")[2].partition("&")[0]
    links = [html.unescape(link) for _, link in _HEADING.findall(page)]
    assert links
    assert all(kept in link and "page=" not in link for link in links)
    files = [html.unescape(address) for address in _FILES.findall(page)]
    assert files
    assert all("sort=" in address and kept in address for address in files)


def test_the_ticked_clients_alone_are_exported_and_no_tick_exports_nobody(site: Site) -> None:
    browser = site._browsers[Door.OWNER]
    page = browser.get("/clients?ticked=all").text
    picks = re.findall(r'name="pick" value="([^"]+)"[^>]* checked', page)
    assert len(picks) > 1
    lines = browser.get(f"/clients/clients.csv?ticked=only&pick={picks[1]}").text.splitlines()
    assert len(lines) == 2
    assert browser.get("/clients/clients.csv?ticked=only").location == "/clients"


def test_an_order_that_is_none_of_the_lists_is_its_usual_one(site: Site) -> None:
    browser = site._browsers[Door.OWNER]
    for path in ("/clients", "/bookings", "/payments", "/links", "/tasks", "/quotes", "/suppliers", "/support"):
        usual = _HEADING.findall(browser.get(path).text)
        for odd in ("version", "-", "--name", "name;drop table client", "%00", "-id"):
            assert [state for state, _ in _HEADING.findall(browser.get(f"{path}?sort={odd}").text)] == [
                state for state, _ in usual
            ]
