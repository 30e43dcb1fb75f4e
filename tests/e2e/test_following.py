"""Open pages of agent and client follow what happens by themselves, and nothing but a person unloads them (ux 18)."""

from playwright.sync_api import Page, expect

from tests.e2e.conftest import World
from tests.e2e.people import BOOKING, VISA

_LONG_MS = 20_000


def _mark(page: Page) -> None:
    """What is gone when the page is ever loaded anew."""
    page.evaluate("window.mark = 'here'")


def _assert_never_unloaded(page: Page) -> None:
    assert page.evaluate("window.mark") == "here"


def test_a_payment_is_watched_from_sent_to_authorized_and_its_card_shown_on_the_same_page(world: World) -> None:
    agent, client = world.agent(), world.client()
    link, payment = world.given_link(agent)
    agent.open_booking(BOOKING)
    listed, area = agent.page, world.watch(agent.page.context.new_page())
    row = listed.locator(f"#row-{payment}")
    area.goto(f"{world.crm}/payments/{payment}")
    for page in (listed, area):
        _mark(page)
    client.open(link)
    expect(row).to_contain_text("Opened", timeout=_LONG_MS)
    client.fill_all()
    client.submit()
    client.expect_thanks()
    _mark(client.page)
    expect(row).to_contain_text("Ready to process", timeout=_LONG_MS)
    # The other page of the same browser has become the one that retrieves.
    watcher = type(agent)(page=area, crm=world.crm, account=agent.account)
    expect(area.get_by_role("button", name="RETRIEVE and PROCESS")).to_be_visible(timeout=_LONG_MS)
    watcher.ask_for_code()
    history = area.locator(".pay-history .wv-timeline-what")
    expect(history.filter(has_text="ode")).not_to_have_count(0, timeout=_LONG_MS)
    watcher.enter_code(world.mailbox.take(area, agent.account.email, "one-time code for a card").code)
    assert watcher.shown_number() == VISA
    expect(history.filter(has_text="Card shown once")).to_have_count(1, timeout=_LONG_MS)
    expect(row).to_contain_text("Card retrieved", timeout=_LONG_MS)
    assert watcher.shown_number() == VISA, "what follows leaves the frame alone"
    for page in (listed, area):
        _assert_never_unloaded(page)
    heading = client.page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Your payment is being made", timeout=_LONG_MS)
    watcher.close_as_processed("AUR-18")
    expect(row).to_contain_text("Processed", timeout=_LONG_MS)
    expect(heading).to_have_text("Your payment is done", timeout=_LONG_MS)
    for page in (listed, client.page):
        _assert_never_unloaded(page)
