"""A session that runs out: the warning, Stay signed in, and its end, with what was typed still on the page."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from chassis.web.session_watch import WARNING_SECONDS
from chassis.web.sessions import IDLE
from tests.e2e.album import Album
from tests.e2e.conftest import ARTIFACTS, World
from tests.e2e.people import AgentAtWork

_QUESTION: Final = "Which of the two profiles shall stay?"


@pytest.fixture
def album(world: World) -> Iterator[Album]:
    made = Album(folder=ARTIFACTS / "screens" / world.stack.engine, faults=[])
    yield made
    assert not made.faults, "\n".join(made.faults)


def test_one_is_warned_may_stay_and_what_was_typed_stands_until_it_is_sent(world: World, album: Album) -> None:
    # With a session of their own: the one that the other walks share shall not end.
    ada = AgentAtWork(page=world.window(), crm=world.crm, account=world.account("Ada"))
    page = ada.page
    page.clock.install()
    ada.sign_in("/support/new")
    page.get_by_label("What is it about?").fill("Two profiles")
    page.get_by_label("Your question").fill(_QUESTION)

    _nothing_is_done_for(world, ada, IDLE - timedelta(seconds=90))
    _until_the_page_asks(page)
    dialog = page.get_by_role("alertdialog")
    expect(dialog).to_contain_text("Are you still there?")
    album.photograph(page, "crm-session-warning")
    dialog.get_by_role("button", name="Stay signed in").click()
    expect(dialog).to_be_hidden()

    _nothing_is_done_for(world, ada, IDLE)
    _until_the_page_asks(page)
    expect(dialog).to_contain_text("You have been signed out")
    album.photograph(page, "crm-session-over")
    dialog.get_by_role("button", name="Close").click()
    expect(page.get_by_label("Your question")).to_have_value(_QUESTION)
    page.get_by_role("button", name="Send to your admins").click()
    expect(page.get_by_label("Password", exact=True)).to_be_visible()
    album.photograph(page, "crm-sign-in-after-idle")


def _nothing_is_done_for(world: World, agent: AgentAtWork, time: timedelta) -> None:
    """The agent's newest session was used last so long ago."""
    newest = (
        "SELECT s.id FROM web_sessions s JOIN agent a ON a.id = s.subject WHERE a.email = :email"
        " ORDER BY s.created_at DESC LIMIT 1"
    )
    session = str(world.stack.query("crm", newest, email=agent.account.email)[0][0])
    seen = (datetime.now(UTC) - time).strftime("%Y-%m-%d %H:%M:%S.%f")
    assert world.stack.execute(
        "crm", "UPDATE web_sessions SET last_seen_at = :seen WHERE id = :id", seen=seen, id=session
    )


def _until_the_page_asks(page: Page) -> None:
    page.clock.fast_forward(int((IDLE.total_seconds() - WARNING_SECONDS + 1) * 1000))
