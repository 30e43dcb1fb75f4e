"""The stack, a browser, and the people of the walk."""

import itertools
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from tests.e2e.people import BOOKING, CVV, ELEANOR, VISA, Account, AgentAtWork, ClientAtHome, Mailbox, wait_until
from tests.support import people_by_http as by_http
from tests.support.browser import chromium
from tests.support.stack import ROOT, Engine, Stack, running

ARTIFACTS: Final = ROOT / "artifacts"
DESKTOP: Final[ViewportSize] = {"width": 1280, "height": 860}
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}
# What a page shows comes sooner; a machine whose disk stands still for some seconds is no fault of the page.
_PATIENCE_MS: Final = 20_000
# No two payments ask for the same amount, so that each mail is known by it.
_CENTS = itertools.count(1)
# What Chromium says of its own accord when a test lets requests fail.
_EXPECTED_ON_CONSOLE: Final = ("Failed to load resource", "net::ERR_")


# What is walked on the real engines too: the main job, the canary scan, and a sealed Vault. Every other test runs on
# embedded engines, since the contract suites prove the engines alike; E2E=all runs each of them on both.
_ON_BOTH: Final = (
    "test_one_payment_from_the_link_to_the_destroyed_card",
    "test_with_the_engine_sealed_the_agent_reads_that_nothing_was_used_up",
    "test_no_card_leaves_the_frame_and_the_vault",
    "test_no_card_is_left_behind_by_what_ran_before",
    "test_no_process_wrote_a_traceback_or_an_unforeseen_error",
)
# The two parts of what is walked on embedded engines take about as long; each has a system of its own. Here: whatever
# looks at pages rather than lets the main job go through them.
_LOOKS: Final = (
    "test_admin.py",
    "test_clients.py",
    "test_gateway_keys.py",
    "test_pages.py",
    "test_phone.py",
    "test_refunds.py",
    "test_standing_orders.py",
)
# What is asked of every system at its end.
_LAST: Final = "test_z_card_data_stays.py"
_READS_ALL_PAGES: Final = "test_every_page_holds_at_most_the_last_four_digits"
# They take the guides' pictures and claim nothing: with E2E=all only.
_PICTURES: Final = ("test_guides.py",)


# The whole album takes seven pictures where the tests take one.
_MOST_SECONDS: Final = 3600 if os.environ.get("ALBUM") == "whole" else 600


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    if os.environ.get("E2E") != "all":
        left_out = [item for item in items if item.path.is_relative_to(here) and _is_for_all_only(item)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    _keep_part(config, items, here)
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.enable_socket)
            if not item.get_closest_marker("timeout"):
                item.add_marker(pytest.mark.timeout(_MOST_SECONDS, method="signal"))


def _keep_part(config: pytest.Config, items: list[pytest.Item], here: Path) -> None:
    """E2E_PART=real: what is walked on the real engines; looks, walks: the halves of the rest; unset: all."""
    if wanted := os.environ.get("E2E_PART"):
        others = [item for item in items if item.path.is_relative_to(here) and wanted not in _parts_of(item)]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


def _parts_of(item: pytest.Item) -> tuple[str, ...]:
    if "[real" in item.name:
        return ("real",)
    if item.path.name == _LAST:
        # All pages are read once: after the walks, which do more with cards.
        return ("walks",) if item.name.startswith(_READS_ALL_PAGES) else ("looks", "walks")
    return ("looks",) if item.path.name in _LOOKS else ("walks",)


def _is_for_all_only(item: pytest.Item) -> bool:
    name = getattr(item, "originalname", item.name)
    if item.path.name in _PICTURES:
        return True
    return "[real" in item.name and name not in _ON_BOTH


@pytest.fixture(scope="session", params=["embedded", "real"])
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """One whole system per engine for all tests."""
    engine: Engine = request.param
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")

    def say(text: str) -> None:
        if reporter is not None:
            reporter.write_line(f"  stack on {engine} engines: {text}")

    with running(engine, say) as started:
        yield started


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=_PATIENCE_MS)
    with chromium() as opened:
        yield opened


@dataclass
class World:
    """Opens browsers for people, and closes them at the end of the test."""

    stack: Stack
    browser: Browser
    mailbox: Mailbox
    kept: dict[str, Any]
    contexts: list[BrowserContext] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def crm(self) -> str:
        return self.stack.origins.crm

    @property
    def portal(self) -> str:
        return self.stack.origins.portal

    def window(self, *, phone: bool = False, **options: Any) -> Page:
        """A page of a browser of its own."""
        shape = {"has_touch": True, "is_mobile": True, "device_scale_factor": 2} if phone else {}
        context = self.browser.new_context(viewport=PHONE if phone else DESKTOP, **{**shape, **options})
        self.contexts.append(context)
        return self.watch(context.new_page())

    def watch(self, page: Page) -> Page:
        """Notes what goes wrong in the page's scripts."""
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        page.on("console", lambda message: self._note(page, message.type, message.text))
        return page

    def account(self, first_name: str) -> Account:
        found = next(one for one in self.stack.people["agents"] if one["name"].startswith(first_name))
        return Account(
            name=found["name"], email=found["email"], password=found["password"], totp_secret=found["totp_secret"]
        )

    def agent(self, first_name: str = "Maya", *, phone: bool = False, **options: Any) -> AgentAtWork:
        """An agent who is signed in already; they sign in once for all tests."""
        kept = self.kept.get(first_name)
        page = self.window(phone=phone, **({"storage_state": kept} if kept else {}), **options)
        agent = AgentAtWork(page=page, crm=self.crm, account=self.account(first_name))
        if not kept:
            agent.sign_in()
            self.kept[first_name] = page.context.storage_state()
        return agent

    def given_link(self, agent: AgentAtWork, *, fee: bool = False) -> tuple[str, str]:
        """A link that has reached Eleanor: its address from the mail, and the payment's id. Not by the agent's hand.
        `fee`: it asks for the agency's own."""
        amount = f"2{next(_CENTS) // 100:02}.{next(_CENTS) % 100:02}"
        cookies = {one["name"]: one["value"] for one in agent.page.context.cookies(self.crm)}
        booking = str(self.stack.query("crm", "SELECT id FROM booking WHERE title = :title", title=BOOKING)[0][0])
        by_http.Agent(by_http.Browser(self.crm, cookies)).send_link(
            booking, amount=amount, purpose="Service fee" if fee else "Deposit for the cabin", fee=fee
        )
        link = self.mailbox.take(agent.page, ELEANOR, f"{amount} for").link("/pay/")
        return link, self.payment_of(link)

    def payment_of(self, link: str) -> str:
        """The payment that a mailed link asks for."""
        link_id = link.partition("/pay/")[2].partition("#")[0]
        return str(self.stack.query("crm", "SELECT payment_id FROM payment_link WHERE id = :id", id=link_id)[0][0])

    def given_authorized(
        self, agent: AgentAtWork, *, number: str = VISA, cvv: str = CVV, fee: bool = False
    ) -> tuple[str, str]:
        """A payment that Eleanor has authorized, not by hand: her link and the payment's id.

        The agent stands in its payment area.
        """
        link, payment = self.given_link(agent, fee=fee)
        self.until_portal_knows(link, agent.page)
        (found,) = by_http.links_in([{"text": link}])
        card = {"pan": number.replace(" ", ""), "cvv": cvv, "name": "Eleanor Whitcombe"}
        by_http.Client(self.portal, self.stack.origins.frame, found, **card).submit()
        self.until_authorized(agent, payment)
        return link, payment

    def until_portal_knows(self, link: str, page: Page) -> None:
        """An e-mail may be faster than the portal's own news of the link."""
        link_id = link.partition("/pay/")[2].partition("#")[0]
        known = "SELECT 1 FROM links WHERE link_id = :id"
        wait_until(page, lambda: bool(self.stack.query("portal", known, id=link_id)), "the portal to know the link")

    def until_authorized(self, agent: AgentAtWork, payment: str) -> None:
        """Opens the payment's area once the CRM has heard of the authorization."""
        state = "SELECT state FROM payment WHERE id = :id"

        def has_heard() -> bool:
            return bool(self.stack.query("crm", state, id=payment)[0][0] == "authorized")

        # A worker that was killed takes its time: it starts anew, and what it had in hand comes again after a pause.
        wait_until(agent.page, has_heard, "the CRM to hear of the authorization", seconds=90)
        agent.page.goto(f"{self.crm}/payments/{payment}")
        expect(agent.page.locator("#payment-area")).to_have_attribute("data-state", "authorized")

    def given_shown_code_form(self, agent: AgentAtWork, *, number: str = VISA, cvv: str = CVV) -> tuple[str, str]:
        """A payment whose code is out: its id and the code."""
        _, payment = self.given_authorized(agent, number=number, cvv=cvv)
        agent.ask_for_code()
        return payment, self.mailbox.take(agent.page, agent.account.email, "one-time code for a card").code

    def card_of(self, payment: str) -> str:
        """The state of a payment's card in the vault."""
        rows = self.stack.query("vault", "SELECT state FROM cards WHERE payment_id = :id", id=payment)
        assert len(rows) == 1
        return str(rows[0][0])

    def history(self, agent: AgentAtWork, payment: str) -> list[str]:
        """The payment's access history as the agent reads it."""
        agent.page.goto(f"{self.crm}/payments/{payment}")
        return agent.page.locator(".pay-history .wv-timeline-what").all_inner_texts()

    def client(self, *, phone: bool = False, **options: Any) -> ClientAtHome:
        return ClientAtHome(page=self.window(phone=phone, **options))

    def _note(self, page: Page, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not any(known in text for known in _EXPECTED_ON_CONSOLE):
            self.faults.append(f"{page.url}: {text}")


@pytest.fixture(scope="session")
def signed_in(stack: Stack) -> dict[str, Any]:
    """Browser states of agents who signed in once."""
    return {}


@pytest.fixture
def world(stack: Stack, browser: Browser, signed_in: dict[str, Any], request: pytest.FixtureRequest) -> Iterator[World]:
    mailbox = Mailbox(stack.origins.mailbox.replace("mail.localhost", "127.0.0.1"))
    mailbox.skip_present()
    made = World(stack=stack, browser=browser, mailbox=mailbox, kept=signed_in)
    before = request.session.testsfailed
    yield made
    if request.session.testsfailed > before or _failed(request):
        _keep_evidence(made, request.node.name)
    for context in made.contexts:
        context.close()
    assert not made.faults, "the pages' scripts reported: " + "; ".join(made.faults)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    setattr(item, f"report_{report.when}", report)
    return report


def _failed(request: pytest.FixtureRequest) -> bool:
    report = getattr(request.node, "report_call", None)
    return bool(report and report.failed)


def _keep_evidence(world: World, name: str) -> None:
    """What the browsers show when a test has failed. Not pages that may hold a shown card."""
    folder = ARTIFACTS / "failures" / "".join(char if char.isalnum() else "-" for char in name)[:120]
    folder.mkdir(parents=True, exist_ok=True)
    for number, page in enumerate(page for context in world.contexts for page in context.pages):
        shows_card = any("card.localhost" in frame.url for frame in page.frames)
        target = folder / ("frame" if shows_card else ".")
        target.mkdir(exist_ok=True)
        page.screenshot(path=target / f"{number}.png")
    (folder / "faults.json").write_text(json.dumps(world.faults, indent=1))
