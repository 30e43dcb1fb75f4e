"""The supplier asks for the CVV once more: the client gives it alone, by a link, and it is shown once (M10)."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.e2e.album import Album
from tests.e2e.conftest import ARTIFACTS, DESKTOP, World
from tests.e2e.people import CVV, ELEANOR, VISA, AgentAtWork

_LONG_MS = 20_000
NEW_CVV = "594"


@pytest.fixture
def album(world: World) -> Iterator[Album]:
    made = Album(folder=ARTIFACTS / "screens" / world.stack.engine, faults=[])
    yield made
    assert not made.faults, "\n".join(made.faults)


def test_the_client_gives_the_cvv_again_and_nothing_else_and_the_agent_sees_it_once(world: World) -> None:
    agent = world.agent()
    payment = given_used_cvv(world, agent)
    ask_for_it_again(agent)
    link = world.mailbox.take(agent.page, ELEANOR, "needs the security code").link("/cvv/")

    phone = world.client(phone=True).page
    give_it(phone, link, NEW_CVV)
    # The link is used: it says so, and takes nothing more.
    phone.goto("about:blank")
    phone.goto(link)
    expect(phone.get_by_role("heading", name="You have given the security code")).to_be_visible()

    mail = world.mailbox.take(agent.page, agent.account.email, "has given the CVV again")
    assert f"/payments/{payment}" in mail.text
    agent.page.goto(f"{world.crm}/payments/{payment}")
    expect(agent.page.get_by_text(re.compile("^Eleanor Whitcombe gave it again"))).to_be_visible()
    shown = cvv_link(world, agent)
    agent.show_cvv(world.watch(agent.page.context.new_page()), shown, NEW_CVV)
    agent.expect_cvv_refused(world.watch(agent.page.context.new_page()), shown)
    history = "\n".join(world.history(agent, payment))
    assert "CVV given again and stored in the vault" in history
    assert history.count("CVV shown once and destroyed") == 2


def test_a_newer_request_replaces_the_older_link(world: World, album: Album) -> None:
    agent = world.agent()
    payment = given_used_cvv(world, agent)
    ask_for_it_again(agent)
    older = world.mailbox.take(agent.page, ELEANOR, "needs the security code").link("/cvv/")
    agent.page.goto(f"{world.crm}/payments/{payment}")
    agent.page.get_by_role("button", name="Ask once more, with a new link").press("Enter")
    newer = world.mailbox.take(agent.page, ELEANOR, "needs the security code").link("/cvv/")
    page = world.client().page
    page.goto(older)
    expect(page.get_by_role("heading", name="There is a newer link")).to_be_visible()
    album.glance(page, "portal-cvv-replaced")
    page.goto("about:blank")
    page.goto(newer)
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    album.glance(page, "portal-cvv-landing")
    page.set_viewport_size(DESKTOP)
    page.get_by_role("button", name="Go on").click()
    cvv_form(page)
    album.glance(page, "portal-cvv-form")


def given_used_cvv(world: World, agent: AgentAtWork) -> str:
    """A payment whose card and CVV were shown: nothing of the CVV is left."""
    agent.page.on("dialog", lambda dialog: dialog.accept())
    payment, code = world.given_shown_code_form(agent)
    agent.enter_code(code)
    assert agent.shown_number() == VISA
    agent.show_cvv(world.watch(agent.page.context.new_page()), cvv_link(world, agent), CVV)
    agent.page.goto(f"{world.crm}/payments/{payment}")
    return payment


def ask_for_it_again(agent: AgentAtWork) -> None:
    agent.page.get_by_role("button", name="Ask for the CVV again").press("Enter")
    expect(agent.page.get_by_text("gets a link for the CVV alone")).to_be_visible(timeout=_LONG_MS)


def give_it(page: Page, link: str, cvv: str) -> None:
    """What the client does: the mail's button, one click, the digits, one click."""
    page.goto(link)
    page.get_by_role("button", name="Go on").click()
    frame = cvv_form(page)
    expect(frame.get_by_label("Card number")).to_be_hidden()
    frame.get_by_label("Security code (CVV)").fill(cvv)
    page.get_by_role("button", name="Send the security code").press("Enter")
    expect(page.get_by_role("heading", name=re.compile("^Thank you"))).to_be_visible(timeout=_LONG_MS)


def cvv_form(page: Page) -> FrameLocator:
    frame = page.frame_locator("#cvv-frame iframe")
    expect(frame.get_by_label("Security code (CVV)")).to_be_visible(timeout=_LONG_MS)
    return frame


def cvv_link(world: World, agent: AgentAtWork) -> str:
    """The one-time link that the confirmed code brings."""
    agent.ask_for_cvv_code()
    agent.enter_cvv_code(world.mailbox.take(agent.page, agent.account.email, "one-time code for a CVV").code)
    return world.mailbox.take(agent.page, agent.account.email, "one-time link to a CVV").link("/cvv")
