"""Every page looked at: screenshots at two widths and in both schemes, axe, no sideways scrolling, large text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Frame, Page, expect

import chassis.web
from tests.e2e.conftest import ARTIFACTS, DESKTOP, PHONE, World
from tests.e2e.people import BOOKING, VISA, AgentAtWork, Mailbox, ask

_AXE: Final = (Path(chassis.web.__file__).parent / "static" / "vendor" / "axe.min.js").read_text("utf-8")
_TALLEST: Final = 6000
_SERIOUS: Final = "v => ['serious', 'critical'].includes(v.impact)"


@dataclass
class Album:
    """Looks at pages and keeps their pictures; what is wrong is collected, so that one run tells everything."""

    folder: Path
    faults: list[str]

    def look(
        self, page: Page, name: str, *, sizes: tuple[str, ...] = ("1280", "390"), large_text: bool = False
    ) -> None:
        """Both schemes at each width. A page with the secure frame on it goes to the frame's own folder."""
        folder = self.folder / ("frame" if page.locator("iframe").count() else ".")
        folder.mkdir(parents=True, exist_ok=True)
        for shape in (DESKTOP, PHONE):
            size = width = shape["width"]
            page.set_viewport_size(shape)
            self._check_width(page, f"{name} at {size}")
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
                self._check_axe(page, f"{name} at {size}, {scheme}", everything=scheme == "light" and shape is DESKTOP)
                self._shoot(page, folder / f"{name}-{size}-{scheme}.png", width)
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(DESKTOP)
        if large_text:
            self._check_large_text(page, name)

    def _shoot(self, page: Page, path: Path, width: int) -> None:
        # A full-page picture clips frames of other origins: make the window as tall as the page instead.
        height = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": width, "height": min(int(height), _TALLEST)})
        page.screenshot(path=path)

    def _check_width(self, page: Page, where: str) -> None:
        over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if over > 0:
            self.faults.append(f"{where}: {over} px too wide")

    def _check_axe(self, page: Page, where: str, *, everything: bool) -> None:
        # A scheme or width changes colours and sizes only; all other rules are checked once.
        only = "" if everything else ", {runOnly: ['color-contrast', 'target-size', 'scrollable-region-focusable']}"
        for frame in page.frames:
            for found in _axe(frame, only):
                self.faults.append(f"{where}: {found}")

    def _check_large_text(self, page: Page, name: str) -> None:
        """Text at 200 %: nothing leaves the page sideways, and no text is cut off in its box."""
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        self._check_width(page, f"{name} with text at 200 %")
        cut = page.evaluate(
            """[...document.querySelectorAll('main p, main h1, main h2, main label, main button, main a, main td')]
            .filter(node => node.checkVisibility() && node.scrollWidth > node.clientWidth + 2
                && ['hidden', 'clip'].includes(getComputedStyle(node).overflowX)
                && !node.classList.contains('visually-hidden') && !node.closest('.visually-hidden'))
            .map(node => node.textContent.trim().slice(0, 60))"""
        )
        if cut:
            self.faults.append(f"{name} with text at 200 %: cut off: {cut[:3]}")
        page.evaluate("document.documentElement.style.fontSize = ''")


def _axe(frame: Frame, only: str) -> list[str]:
    if not frame.evaluate("'axe' in window"):
        frame.evaluate(_AXE)
    # A frame of another origin lets its page's ground through; axe would take it for white.
    frame.evaluate(
        """if (window.parent !== window) document.documentElement.style.background =
            getComputedStyle(document.documentElement).getPropertyValue('--wv-surface')"""
    )
    script = (
        f"axe.run(document{only}).then(r => r.violations.filter({_SERIOUS})"
        ".map(v => v.id + ': ' + v.nodes.slice(0, 2).map(n => n.html.slice(0, 160)).join(' | ')))"
    )
    found = list(frame.evaluate(script))
    frame.evaluate("if (window.parent !== window) document.documentElement.style.background = ''")
    return found


@pytest.fixture
def album(world: World) -> Iterator[Album]:
    made = Album(folder=ARTIFACTS / "screens" / world.stack.engine, faults=[])
    yield made
    assert not made.faults, "\n".join(dict.fromkeys(made.faults))


def test_the_agents_pages(world: World, album: Album) -> None:
    agent = world.agent()
    page = agent.page
    _, payment = world.given_link(agent)
    for path, name, large in (
        ("/", "crm-dashboard", True),
        ("/clients", "crm-clients", True),
        ("/clients?q=nobody-by-that-name", "crm-clients-none", False),
        ("/clients/new", "crm-client-new", False),
        ("/bookings", "crm-bookings", True),
        ("/bookings/new", "crm-booking-new", False),
        ("/payments", "crm-payments", True),
        (f"/payments/{payment}", "crm-payment-requested", True),
        ("/account", "crm-account", False),
        ("/cvv", "crm-cvv-without-token", False),
        ("/nothing-here", "crm-not-found", False),
    ):
        page.goto(world.crm + path)
        album.look(page, name, large_text=large)
    page.goto(f"{world.crm}/clients")
    page.get_by_role("link", name="Whitcombe, Eleanor").first.click()
    album.look(page, "crm-client", large_text=True)
    page.goto(f"{page.url}/edit")
    album.look(page, "crm-client-edit")
    agent.open_booking(BOOKING)
    booking = page.url
    album.look(page, "crm-booking", large_text=True)
    for path, name in (("/edit", "crm-booking-edit"), ("/segments/new", "crm-segment-new")):
        page.goto(booking + path)
        album.look(page, name)
    page.goto(booking)
    page.get_by_role("link", name="Payment authorization link").click()
    album.look(page, "crm-link-new", large_text=True)
    page.get_by_role("button", name=re.compile("^Send link")).click()
    page.wait_for_load_state()
    album.look(page, "crm-link-new-with-errors")


def test_the_pages_of_one_payment_on_both_sides(world: World, album: Album) -> None:
    agent, client = world.agent(), world.client()
    page, guest = agent.page, client.page
    link, payment = world.given_link(agent)
    guest.goto(link.partition("#")[0])
    album.look(guest, "portal-landing", large_text=True)
    client.open(link)
    expect(client.card_frame.get_by_label("Card number")).to_be_visible()
    album.look(guest, "portal-authorize", large_text=True)
    client.submit()
    expect(client.summary).to_be_visible()
    album.look(guest, "portal-authorize-with-errors")
    client.fill_all()
    album.look(guest, "portal-authorize-filled")
    client.submit()
    client.expect_thanks()
    album.look(guest, "portal-thanks", large_text=True)

    world.until_authorized(agent, payment)
    album.look(page, "crm-payment-authorized", large_text=True)
    agent.ask_for_code()
    album.look(page, "crm-payment-code")
    agent.enter_code("00000000")
    expect(agent.code_problem).to_be_visible()
    album.look(page, "crm-payment-code-wrong")
    code = world.mailbox.take(page, agent.account.email, "one-time code for a card").code
    agent.enter_code(code)
    assert agent.shown_number() == VISA
    album.look(page, "crm-payment-shown", large_text=True)
    _cvv_pages(world, album, agent)
    page.get_by_role("button", name="Void", exact=True).press("Enter")
    album.look(page, "crm-payment-void-dialog")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Processed with supplier").press("Enter")
    album.look(page, "crm-payment-process-dialog")
    page.keyboard.press("Escape")
    agent.close_as_processed("AUR-1")
    page.goto(page.url)
    album.look(page, "crm-payment-processed", large_text=True)
    guest.reload()
    album.look(guest, "portal-processed", large_text=True)


def _cvv_pages(world: World, album: Album, agent: AgentAtWork) -> None:
    agent.ask_for_cvv_code()
    agent.enter_cvv_code(world.mailbox.take(agent.page, agent.account.email, "one-time code for a CVV").code)
    album.look(agent.page, "crm-payment-cvv-mailed")
    link = world.mailbox.take(agent.page, agent.account.email, "one-time link to a CVV").link("/cvv")
    tab = world.watch(agent.page.context.new_page())
    tab.goto(link)
    frame = tab.frame_locator("#cvv-frame iframe")
    expect(frame.get_by_role("button", name="Show CVV once")).to_be_enabled()
    album.look(tab, "crm-cvv")
    frame.get_by_role("button", name="Show CVV once").press("Enter")
    expect(frame.locator("#cvv-digits")).not_to_be_empty()
    album.look(tab, "crm-cvv-shown")
    tab.close()


def test_pages_of_payments_that_ended_otherwise(world: World, album: Album) -> None:
    agent = world.agent()
    client, payment = world.given_authorized(agent)
    agent.void("The cabin was gone")
    agent.page.goto(f"{world.crm}/payments/{payment}")
    album.look(agent.page, "crm-payment-voided")
    client.page.reload()
    album.look(client.page, "portal-voided")
    link, asked = world.given_link(agent)
    for service, table in (("portal", "links"), ("crm", "payment_link")):
        world.stack.execute(service, f"UPDATE {table} SET expires_at = issued_at WHERE payment_id = :id", id=asked)
    guest = world.window()
    guest.goto(link)
    album.look(guest, "portal-expired")
    guest.goto(f"{world.portal}/pay/link_nobody_knows")
    album.look(guest, "portal-unknown")
    guest.goto(world.portal)
    album.look(guest, "portal-start")


def test_the_pages_before_sign_in_and_the_admins(world: World, album: Album) -> None:
    page = world.window()
    page.goto(world.crm)
    album.look(page, "crm-sign-in", large_text=True)
    page.get_by_label("E-mail").fill("ada@harbour.example")
    page.get_by_label("Password", exact=True).fill("this is not the password")
    page.get_by_role("button", name="Continue to authenticator").click()
    page.wait_for_load_state()
    album.look(page, "crm-sign-in-wrong")
    page.goto(f"{world.crm}/invitation#not-an-invitation")
    album.look(page, "crm-invitation")
    ada = world.agent("Ada")
    ada.page.goto(f"{world.crm}/agency")
    album.look(ada.page, "crm-admin", large_text=True)
    ada.page.goto(f"{world.crm}/agency/agents/new")
    album.look(ada.page, "crm-admin-agent-new")


def test_the_mails(world: World, album: Album) -> None:
    agent = world.agent()
    world.given_shown_code_form(agent)
    page = world.window()
    page.goto(world.stack.origins.mailbox)
    album.look(page, "mailbox")
    seen: set[str] = set()
    # All mails of the run, not only this test's.
    for mail in Mailbox(world.mailbox.url).messages():
        kind = re.sub(r"[^a-z]+", "-", mail.subject.lower().partition(":")[0])[:40].strip("-")
        kind = "please-authorize" if kind.startswith("please-authorize") else kind
        if kind in seen:
            continue
        seen.add(kind)
        # Outside the mailbox's sandbox, in which no script could look at it.
        page.goto(world.stack.origins.mailbox)
        html = ask(page, f"/messages/{mail.id}/html").text
        page.goto("about:blank")
        page.set_content(html)
        album.look(page, f"mail-{kind}")
    assert len(seen) >= 5, seen
