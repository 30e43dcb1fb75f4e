"""A client finds their way in: the agent's page, an invitation, a password, a reset; their profile goes both ways."""

import itertools
import re
from dataclasses import dataclass
from typing import Final

from playwright.sync_api import Page, expect

from tests.e2e.album import Album
from tests.e2e.conftest import ARTIFACTS, World
from tests.e2e.people import AgentAtWork, wait_until
from tests.e2e.portal_people import choose, fill_passwords, sign_in

_LONG_MS = 20_000
_PASSWORD: Final = "violet harbour tractor moon"
_NEW_PASSWORD: Final = "kettle orchard seventy sparrow"
_NUMBERS = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    first: str
    last: str

    @property
    def email(self) -> str:
        return f"{self.first}.{self.last}@visitor.example".lower()

    @property
    def username(self) -> str:
        return f"{self.first}.{self.last}".lower()


def test_a_visitor_asks_for_a_trip_and_the_agent_makes_a_booking_of_it_in_one_step(world: World) -> None:
    agent, visitor = world.agent(), _visitor("Imogen")
    phone = world.window(phone=True)
    ask_for_a_trip(world, phone, visitor)
    confirmation = world.mailbox.take(phone, visitor.email, "has reached Maya")
    assert visitor.first not in confirmation.text

    mail = world.mailbox.take(agent.page, agent.account.email, f"New quote request: {visitor.first}")
    agent.page.goto(mail.link("/quotes/"))
    expect(agent.page.get_by_text("A cabin with a balcony")).to_be_visible()
    agent.page.get_by_role("button", name="Turn into a booking").press("Enter")
    expect(agent.page.get_by_role("heading", level=1)).to_contain_text("Lofoten", timeout=_LONG_MS)
    expect(agent.page.get_by_role("main").get_by_text(f"{visitor.first} {visitor.last}").first).to_be_visible()


def test_a_visitor_registers_without_a_trip_and_is_signed_in_and_their_agent_is_told(world: World) -> None:
    agent, visitor, page = world.agent(), _visitor("Hermione"), world.window(phone=True)
    page.goto(f"{world.portal}/a/maya-okafor/register")
    page.get_by_label("First name").fill(visitor.first)
    page.get_by_label("Last name").fill(visitor.last)
    page.get_by_label("E-mail").fill(visitor.email)
    page.get_by_label("City").fill("Bergen")
    page.get_by_label("Country").select_option("NO")
    page.get_by_role("button", name="Register").press("Enter")
    expect(page.get_by_role("heading", name="Look in your e-mail")).to_be_visible(timeout=_LONG_MS)
    mail = world.mailbox.take(page, visitor.email, "Finish your registration")
    assert visitor.first not in mail.text
    link = mail.link("/registration")
    # Looking at the link, as scanners do, uses nothing up.
    page.goto(link)
    page.reload()
    Album(folder=ARTIFACTS / "screens" / world.stack.engine, faults=[]).photograph(page, "portal-registration")
    page.locator("#password").fill(_PASSWORD)
    page.locator("#again").fill(_PASSWORD)
    page.get_by_role("button", name="Finish registration").press("Enter")
    expect(page.get_by_text("You are registered and signed in")).to_be_visible(timeout=3 * _LONG_MS)
    expect(page.get_by_role("navigation").get_by_role("link", name="Profile").first).to_be_visible()
    assert visitor.email in world.mailbox.take(page, visitor.email, "Welcome to").text
    sign_in(world, page, visitor.email, _PASSWORD)

    told = world.mailbox.take(agent.page, agent.account.email, f"New client: {visitor.first}")
    agent.page.goto(told.link("/clients/"))
    expect(agent.page.get_by_role("main").get_by_text("Bergen").first).to_be_visible()
    expect(agent.page.get_by_text(f"Welcome {visitor.first} {visitor.last}").first).to_be_visible()


def test_an_invited_client_chooses_a_password_and_lands_at_home(world: World) -> None:
    agent, visitor = world.agent(), _visitor("Rosamund")
    page = world.window(phone=True)
    link = invited(world, agent, page, visitor)
    # Looking at the link, as scanners do, uses nothing up.
    page.goto(link)
    page.reload()
    choose(page, link, _PASSWORD)
    sign_in(world, page, visitor.username, _PASSWORD)
    expect(page.get_by_role("navigation").get_by_role("link", name="Profile").first).to_be_visible()
    # The same link again chooses nothing.
    other = world.window()
    other.goto(link)
    fill_passwords(other, _NEW_PASSWORD)
    expect(other.get_by_text("This link has expired or was used already").first).to_be_visible(timeout=_LONG_MS)


def test_a_forgotten_password_is_reset_and_nobody_learns_who_has_an_account(world: World) -> None:
    agent, visitor = world.agent(), _visitor("Octavia")
    page = world.window()
    choose(page, invited(world, agent, page, visitor), _PASSWORD)
    answers = [_ask_for_reset(world, page, username) for username in (visitor.username, "nobody.at.all")]
    assert answers[0] == answers[1]
    mail = world.mailbox.take(page, visitor.email, "Choose a new password")
    choose(page, mail.link("/password"), _NEW_PASSWORD)
    # Who chose it is signed in at once; whoever else tries is not.
    page = world.window()
    page.goto(f"{world.portal}/sign-in")
    _try(page, visitor.username, _PASSWORD)
    refusal = page.get_by_text("This username and password don't match").first
    expect(refusal).to_be_visible()
    _try(page, "nobody.at.all", _PASSWORD)
    expect(refusal).to_be_visible()
    sign_in(world, page, visitor.username, _NEW_PASSWORD)


def test_what_a_client_changes_reaches_her_agent_and_the_other_way_round(world: World) -> None:
    agent, visitor = world.agent(), _visitor("Philippa")
    page = world.window(phone=True)
    choose(page, invited(world, agent, page, visitor), _PASSWORD)
    # Without its fragment: going to the very same address would not load the page anew.
    client_url = agent.page.url.partition("#")[0]
    sign_in(world, page, visitor.username, _PASSWORD)
    page.goto(f"{world.portal}/profile/edit")
    page.get_by_label("City").fill("Bergen")
    page.get_by_role("button", name="Save details").press("Enter")
    expect(page.get_by_text("Bergen")).to_be_visible(timeout=_LONG_MS)
    page.goto(f"{world.portal}/profile/family/new")
    page.get_by_label("First name").fill("Theodora")
    page.get_by_label("Last name").fill("Marsh")
    page.get_by_label("Who is it?").select_option("child")
    page.get_by_role("button", name="Save").press("Enter")
    expect(page.get_by_text("Theodora Marsh").first).to_be_visible(timeout=_LONG_MS)

    def agent_sees(words: str) -> bool:
        agent.page.goto(client_url)
        return agent.page.get_by_role("main").get_by_text(words).first.is_visible()

    wait_until(agent.page, lambda: agent_sees("Bergen"), "the CRM to hear of the address")
    wait_until(agent.page, lambda: agent_sees("Theodora Marsh"), "the CRM to hear of the family")

    agent.page.goto(f"{client_url}/edit")
    agent.page.get_by_label("City").fill("Tromsø")
    agent.page.get_by_role("button", name=re.compile("^Save")).first.press("Enter")
    expect(agent.page.get_by_text("Tromsø").first).to_be_visible(timeout=_LONG_MS)

    def client_sees() -> bool:
        page.goto(f"{world.portal}/profile")
        return page.get_by_text("Tromsø").is_visible()

    wait_until(page, client_sees, "the portal to hear of the address")


def ask_for_a_trip(world: World, page: Page, visitor: Visitor) -> None:
    """The form on the agent's public page, to the thanks."""
    page.goto(f"{world.portal}/a/maya-okafor")
    page.get_by_label("Where would you like to go?").fill("Lofoten in the light nights")
    page.get_by_label("What should not be missing?").fill("A cabin with a balcony")
    page.get_by_label("First name").fill(visitor.first)
    page.get_by_label("Last name").fill(visitor.last)
    page.get_by_label("E-mail").fill(visitor.email)
    page.get_by_role("button", name=re.compile("^Send")).press("Enter")
    expect(page.get_by_role("heading", level=1, name=re.compile("^Thank you"))).to_be_visible(timeout=_LONG_MS)


def invited(world: World, agent: AgentAtWork, page: Page, visitor: Visitor) -> str:
    """A client of Maya's who was invited: the link of her mail. The agent stands on her profile."""
    agent.page.goto(f"{world.crm}/clients/new")
    agent.page.get_by_label("First name").fill(visitor.first)
    agent.page.get_by_label("Last name").fill(visitor.last)
    agent.page.get_by_label("E-mail").fill(visitor.email)
    agent.page.get_by_role("button", name=re.compile("^(Add|Save|Create)")).first.press("Enter")
    expect(agent.page.get_by_role("heading", level=1, name=f"{visitor.first} {visitor.last}")).to_be_visible(
        timeout=_LONG_MS
    )
    agent.page.get_by_role("link", name=f"Invite {visitor.first}").click()
    agent.page.get_by_label("Username").fill(visitor.username)
    agent.page.get_by_role("button", name="Send invitation").press("Enter")
    expect(agent.page.get_by_role("heading", level=1, name=f"{visitor.first} {visitor.last}")).to_be_visible(
        timeout=_LONG_MS
    )
    return world.mailbox.take(page, visitor.email, "invites you").link("/password")


def _ask_for_reset(world: World, page: Page, username: str) -> str:
    page.goto(f"{world.portal}/forgotten")
    page.get_by_label("Username").fill(username)
    page.get_by_role("button", name="Send me a link").press("Enter")
    expect(page.get_by_role("heading", name="Look in your e-mail")).to_be_visible(timeout=_LONG_MS)
    return page.get_by_role("main").inner_text()


def _try(page: Page, username: str, password: str) -> None:
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").press("Enter")
    page.wait_for_load_state()


def _visitor(first: str) -> Visitor:
    return Visitor(first=first, last=f"Marsh{'abcdefghijk'[next(_NUMBERS) % 11]}")
