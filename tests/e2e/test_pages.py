"""Every page looked at: screenshots at two widths and in both schemes, axe, no sideways scrolling, large text."""

import re
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.album import Album
from tests.e2e.conftest import ARTIFACTS, World
from tests.e2e.page_maps import PageMap, crm_map, portal_map
from tests.e2e.people import BOOKING, ELEANOR, VISA, AgentAtWork, Mailbox, ask
from tests.e2e.portal_people import client_with_account
from tests.integration.access.entry import Door
from tests.support.thorough import a_third


@pytest.fixture
def album(world: World) -> Iterator[Album]:
    made = Album(folder=ARTIFACTS / "screens" / world.stack.engine, faults=[])
    yield made
    assert not made.faults, "\n".join(dict.fromkeys(made.faults))


def test_every_page_of_the_crm(world: World, album: Album, tmp_path: Path) -> None:
    """From the URL map: a new page is looked at by itself."""
    windows = {Door.ANYBODY: world.window(), Door.ADMINS: world.agent("Ada").page}
    maya = world.agent().page
    _look_at_all(album, crm_map(world.stack, tmp_path), world.crm, "crm", lambda door: windows.get(door, maya))


def test_every_page_of_the_portal(world: World, album: Album, tmp_path: Path) -> None:
    """From the URL map, as a client who signed in with their invitation."""
    anybody, client = world.window(), client_with_account(world, ELEANOR)
    doors = {Door.CLIENTS: client, Door.OWN_CLIENT: client}
    _look_at_all(
        album, portal_map(world.stack, tmp_path), world.portal, "portal", lambda door: doors.get(door, anybody)
    )


def _look_at_all(album: Album, pages: PageMap, origin: str, service: str, window_of: Callable[[Door], Page]) -> None:
    for number, seen in enumerate(pages.pages()):
        page = window_of(seen.door)
        answer = page.goto(origin + seen.path)
        name = f"{service}-{seen.endpoint}"
        if answer is None or answer.status != HTTPStatus.OK:
            album.faults.append(f"{name}: {seen.path} answers {answer.status if answer else 'nothing'}")
        else:
            # Pages share their colours: where not all is tried, every third is looked at in the dark.
            album.glance(page, name, dark=bool(a_third((name,), number)))
    album.faults.extend(pages.faults)


def test_pages_of_the_crm_in_states_that_no_address_has(world: World, album: Album) -> None:
    agent = world.agent()
    page = agent.page
    for path, name, large in (
        ("/", "crm-dashboard", True),
        ("/clients?q=nobody-by-that-name", "crm-clients-none", False),
        ("/bookings", "crm-bookings", True),
        ("/payments", "crm-payments", True),
        ("/nothing-here", "crm-not-found", False),
    ):
        page.goto(world.crm + path)
        album.look(page, name, large_text=large)
    agent.open_booking(BOOKING)
    album.look(page, "crm-booking", large_text=True)
    page.get_by_role("link", name="Payment authorization link").click()
    album.look(page, "crm-link-new", large_text=True)
    page.locator(".pay-person:not(.is-off)").first.get_by_label("Amount").fill("")
    page.get_by_role("button", name=re.compile("^Send link")).click()
    expect(page.locator(".wv-errors")).to_be_visible()
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
    guest.goto(f"{world.portal}/confirmed/{payment}")
    album.photograph(guest, "portal-confirmed")


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
    authorized, payment = world.given_authorized(agent)
    client = world.client()
    client.open(authorized)
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
    for first_name, name in (("Maya", "crm-sign-in-code"), ("Jonas", "crm-sign-in-set-up")):
        half = AgentAtWork(page=world.window(), crm=world.crm, account=world.account(first_name))
        half.page.goto(world.crm)
        half.give_password()
        expect(half.page.get_by_label("Authenticator code")).to_be_visible()
        album.photograph(half.page, name)
    ada = world.agent("Ada")
    ada.page.goto(f"{world.crm}/agency")
    album.look(ada.page, "crm-admin", large_text=True)


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
