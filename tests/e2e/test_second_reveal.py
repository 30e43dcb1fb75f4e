"""A card that was shown and lost is shown once more, when the agency allows it and another admin approves (M9)."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import FrameLocator, expect

from tests.e2e.album import Album
from tests.e2e.conftest import ARTIFACTS, DESKTOP, World
from tests.e2e.people import VISA, AgentAtWork

_LONG_MS = 20_000


@pytest.fixture
def album(world: World) -> Iterator[Album]:
    made = Album(folder=ARTIFACTS / "screens" / world.stack.engine, faults=[])
    yield made
    assert not made.faults, "\n".join(made.faults)


def test_without_the_policy_an_agent_is_offered_to_ask_the_client_and_nothing_else(world: World) -> None:
    maya = world.agent()
    _given_lost_card(world, maya)
    expect(maya.page.get_by_role("button", name="Void and ask the client again")).to_be_visible()
    expect(maya.page.get_by_role("button", name="Ask an admin for a second reveal")).to_have_count(0)


def test_another_admin_approves_as_herself_and_the_card_is_shown_once_more(world: World) -> None:
    maya, ada = world.agent(), world.agent("Ada")
    with _second_reveals_allowed(world, ada):
        payment = _given_lost_card(world, maya)
        _ask(maya, "My browser closed before I had passed the card on.")

        ada.page.goto(
            world.mailbox.take(ada.page, ada.account.email, "asks to see a card once more").link("/approvals/")
        )
        expect(ada.page.get_by_text("My browser closed before I had passed the card on.")).to_be_visible()
        expect(ada.page.get_by_role("button", name="Email me my code")).to_have_count(0)
        assert ada.account.totp_secret is not None
        ada.enter_authenticator_code(ada.account.totp_secret, "Go on to approve")
        ada.page.get_by_role("button", name="Email me my code").click()
        frame = _approval_frame(ada)
        code = world.mailbox.take(ada.page, ada.account.email, "one-time code to approve").code
        frame.get_by_label("One-time code").fill(code)
        frame.get_by_role("button", name="Approve").click()
        expect(ada.page.get_by_role("status").filter(has_text="Approved")).to_be_visible(timeout=_LONG_MS)

        maya.page.goto(world.mailbox.take(maya.page, maya.account.email, "once more").link("/payments/"))
        expect(maya.page.get_by_text("Ada Lindqvist approved a second reveal")).to_be_visible()
        maya.ask_for_code()
        maya.enter_code(world.mailbox.take(maya.page, maya.account.email, "one-time code for a card").code)
        assert maya.shown_number() == VISA

        maya.page.reload()
        expect(maya.page.get_by_text("The card was shown a second time")).to_be_visible()
        expect(maya.page.get_by_role("button", name="RETRIEVE and PROCESS")).to_have_count(0)
        history = "\n".join(world.history(maya, payment))
        for line in ("Second reveal asked for", "Second reveal approved", "Card shown a second time"):
            assert line in history, history
    assert "is whole" in world.stack.run("services.vault", "verify-audit").stdout.lower()


def test_a_refusal_tells_the_agent_why_and_shows_nothing(world: World, album: Album) -> None:
    maya, ada = world.agent(), world.agent("Ada")
    with _second_reveals_allowed(world, ada):
        payment = _given_lost_card(world, maya)
        _ask(maya, "The supplier asks for the number once more.")
        ada.page.goto(
            world.mailbox.take(ada.page, ada.account.email, "asks to see a card once more").link("/approvals/")
        )
        album.glance(ada.page, "crm-second-reveal")
        ada.page.set_viewport_size(DESKTOP)
        ada.page.get_by_label("A word to the agent").fill("Please ask Eleanor again; she is at home today.")
        ada.page.get_by_role("button", name="Refuse").press("Enter")
        expect(ada.page.get_by_text(re.compile("refused it"))).to_be_visible(timeout=_LONG_MS)

        mail = world.mailbox.take(maya.page, maya.account.email, "refused")
        assert "she is at home today" in mail.text
        maya.page.goto(f"{world.crm}/payments/{payment}")
        expect(maya.page.get_by_text("Please ask Eleanor again").first).to_be_visible()
        expect(maya.page.get_by_role("button", name="RETRIEVE and PROCESS")).to_have_count(0)


@contextmanager
def _second_reveals_allowed(world: World, admin: AgentAtWork) -> Iterator[None]:
    """The admin switches the policy on, and off again for the tests that follow."""
    _set_policy(world, admin, allowed=True)
    try:
        yield
    finally:
        _set_policy(world, admin, allowed=False)


def _set_policy(world: World, admin: AgentAtWork, *, allowed: bool) -> None:
    admin.page.goto(f"{world.crm}/agency")
    admin.page.get_by_label("Allow a second reveal that another admin approves").set_checked(allowed)
    admin.page.get_by_role("button", name="Save agency").press("Enter")
    expect(admin.page.get_by_text("The agency is saved.")).to_be_visible(timeout=_LONG_MS)


def _given_lost_card(world: World, agent: AgentAtWork) -> str:
    """A payment whose card was shown, and whose window was closed before it could be used."""
    agent.page.on("dialog", lambda dialog: dialog.accept())
    payment, code = world.given_shown_code_form(agent)
    agent.enter_code(code)
    assert agent.shown_number() == VISA
    agent.page.goto(f"{world.crm}/payments/{payment}")
    expect(agent.page.get_by_text("The card was shown once,")).to_be_visible()
    return payment


def _ask(agent: AgentAtWork, reason: str) -> None:
    agent.page.get_by_role("button", name="Ask an admin for a second reveal").press("Enter")
    dialog = agent.page.get_by_role("dialog")
    dialog.get_by_label("Why do you need to see it once more?").fill(reason)
    dialog.get_by_role("button", name="Ask for a second reveal").click()
    expect(agent.page.get_by_text("You asked for a second reveal")).to_be_visible(timeout=_LONG_MS)


def _approval_frame(admin: AgentAtWork) -> FrameLocator:
    frame = admin.page.frame_locator("#approve-frame iframe")
    expect(frame.get_by_label("One-time code")).to_be_visible(timeout=_LONG_MS)
    return frame
