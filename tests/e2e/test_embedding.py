"""An agent names their public page and puts its form into a website of their own: a page of another origin (P11)."""

import http.server
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from playwright.sync_api import Page, Request, expect

from tests.e2e.conftest import World
from tests.e2e.people import wait_until

_LONG_MS: Final = 20_000
# As several browsers are by default.
_NO_FOREIGN_COOKIES: Final = {
    "enableThirdPartyCookieRestriction": True,
    "disableThirdPartyCookieMetadata": True,
    "disableThirdPartyCookieHeuristics": True,
}


def test_the_form_on_another_website_reaches_the_agent_without_cookies(world: World) -> None:
    agent = world.agent("Ada")
    agent.page.goto(f"{world.crm}/public-page")
    agent.page.get_by_label("Name in the address").fill("ada-by-rail")
    agent.page.get_by_role("button", name="Save name").click()
    expect(agent.page.get_by_role("link", name=f"{world.portal}/a/ada-by-rail")).to_be_visible()
    button, frame = (agent.page.locator(f"#{name}-snippet").inner_text() for name in ("button", "frame"))
    html = f"<!doctype html><meta name=viewport content='width=device-width'><h1>Ada by rail</h1>{button}{frame}"
    page = world.window(phone=True)
    context = page.context
    rules = context.new_cdp_session(page)
    rules.send("Network.enable")
    rules.send("Network.setCookieControls", _NO_FOREIGN_COOKIES)
    planted = {"name": "planted", "value": "here", "domain": "portal.localhost", "path": "/"}
    context.add_cookies([{**planted, "secure": True, "sameSite": "None"}])  # type: ignore[typeddict-item]
    with website(html) as address:
        _portal_follows(page, world)
        # The page itself gets the cookie, in a frame none comes along.
        assert "planted" in _cookies(page, f"{world.portal}/a/ada-by-rail", "/a/ada-by-rail")
        context.clear_cookies(name=re.compile("^(?!planted)"))
        assert "planted" not in _cookies(page, address, "/embed")
        _ask(page)
    assert [one["name"] for one in context.cookies() if "portal" in one["domain"]] == ["planted"]
    mail = world.mailbox.take(agent.page, agent.account.email, "New quote request: Ottilie")
    agent.page.goto(mail.link("/quotes/"))
    expect(agent.page.get_by_text("A compartment with a window")).to_be_visible()


def test_a_website_that_is_not_the_agents_shows_nothing_once_they_stated_theirs(world: World) -> None:
    agent = world.agent("Ada")
    agent.page.goto(f"{world.crm}/public-page")
    frame = agent.page.locator("#frame-snippet").inner_text()
    page = world.window()
    with website(frame) as address:
        agent.page.get_by_label("Your websites").fill("www.ada-by-rail.example")
        agent.page.get_by_role("button", name="Save websites").click()
        expect(agent.page.get_by_text("on these websites only")).to_be_visible()
        form = page.frame_locator("iframe").get_by_role("button", name=re.compile("^Send request"))

        def is_shut() -> bool:
            page.goto(address, wait_until="load")
            return form.count() == 0

        wait_until(page, is_shut, "the portal to hear of the websites")
        agent.page.get_by_label("Your websites").fill(address)
        agent.page.get_by_role("button", name="Save websites").click()

        def is_open() -> bool:
            page.goto(address, wait_until="load")
            return form.count() == 1

        wait_until(page, is_open, "the portal to hear of the websites")
    # What Chromium says of the frame that it shut is what this is about.
    assert [fault for fault in world.faults if "frame-ancestors" in fault]
    world.faults[:] = [fault for fault in world.faults if "frame-ancestors" not in fault]


def _ask(page: Page) -> None:
    form = page.frame_locator("iframe")
    form.get_by_role("button", name=re.compile("^Send request")).press("Enter")
    expect(form.get_by_text("Say where you would like to go.").first).to_be_visible(timeout=_LONG_MS)
    form.get_by_label("Where would you like to go?").fill("Trieste by night train")
    form.get_by_label("What should not be missing?").fill("A compartment with a window")
    form.get_by_label("First name").fill("Ottilie")
    form.get_by_label("Last name").fill("Marsh")
    form.get_by_label("E-mail").fill("ottilie.marsh@visitor.example")
    form.get_by_role("button", name=re.compile("^Send request")).press("Enter")
    expect(form.get_by_role("heading", level=1, name=re.compile("^Thank you"))).to_be_in_viewport(timeout=_LONG_MS)


def _portal_follows(page: Page, world: World) -> None:
    """The portal hears of a chosen name a moment after the CRM has it."""

    def does() -> bool:
        answer = page.goto(f"{world.portal}/a/ada-by-rail")
        return answer is not None and answer.ok

    wait_until(page, does, "the portal to know the chosen name")


def _cookies(page: Page, address: str, asked: str) -> str:
    """What cookies go with the request for a document whose path ends so, when a page is opened."""
    sent: list[Request] = []

    def note(request: Request) -> None:
        if request.resource_type == "document" and request.url.endswith(asked):
            sent.append(request)

    page.on("request", note)
    page.goto(address)
    wait_until(page, lambda: bool(sent), f"the request for {asked}")
    page.remove_listener("request", note)
    return sent[-1].all_headers().get("cookie", "")


@contextmanager
def website(html: str) -> Iterator[str]:
    """A static page on a host of its own; gives its address."""

    class Pages(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://ada-site.localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
