"""Clients who sign in at the portal."""

import re
from typing import Final

from playwright.sync_api import Page, expect

from tests.e2e.conftest import World
from tests.e2e.people import wait_until

PASSWORD: Final = "harbour lantern velvet ostrich"
_LONG_MS: Final = 20_000


def choose(page: Page, link: str, password: str) -> None:
    """The mail's link, and a password that is nobody's but theirs."""
    done = page.get_by_text("Your password is set")

    def is_set() -> bool:
        # An e-mail may be faster than the portal's own news of the invitation.
        page.goto("about:blank")
        page.goto(link)
        fill_passwords(page, password)
        expect(done.or_(page.get_by_role("alert")).first).to_be_visible(timeout=_LONG_MS)
        return done.is_visible()

    wait_until(page, is_set, "the portal to know the invitation", seconds=60)


def fill_passwords(page: Page, password: str) -> None:
    page.locator("#password").fill(password)
    page.locator("#again").fill(password)
    page.get_by_role("button", name="Set password").press("Enter")


def sign_in(world: World, page: Page, username: str, password: str) -> None:
    # Who has just chosen a password is signed in already.
    page.context.clear_cookies()
    page.goto(f"{world.portal}/sign-in")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").press("Enter")
    expect(page).not_to_have_url(re.compile("/sign-in"), timeout=_LONG_MS)
    expect(page.get_by_role("heading", level=1).first).to_be_visible(timeout=_LONG_MS)


def client_with_account(world: World, email: str, *, phone: bool = False) -> Page:
    """A client of Maya's, invited and signed in once for all tests."""
    key = f"portal {email}"
    if kept := world.kept.get(key):
        return world.window(phone=phone, storage_state=kept)
    agent, page = world.agent(), world.window(phone=phone)
    client_id = world.stack.query("crm", "SELECT id FROM client WHERE email = :email", email=email)[0][0]
    agent.page.goto(f"{world.crm}/clients/{client_id}/portal-access")
    username = agent.page.get_by_label("Username").input_value()
    agent.page.get_by_role("button", name="Send invitation").press("Enter")
    choose(page, world.mailbox.take(agent.page, email, "invites you to your trips").link("/password"), PASSWORD)
    sign_in(world, page, username, PASSWORD)
    world.kept[key] = page.context.storage_state()
    return page
