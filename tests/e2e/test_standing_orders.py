"""A standing order on both sides (G3): proposed, signed, charged, charged a month later, cancelled by the client."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from playwright.sync_api import Page, expect

from tests.e2e.album import Album
from tests.e2e.conftest import ARTIFACTS, World
from tests.e2e.people import BOOKING, ELEANOR, AgentAtWork, wait_until
from tests.e2e.portal_people import client_with_account

_LONG_MS: Final = 20_000
# docs.stripe.com/testing; the only published number that stands for itself in these tests is theirs.
_CARD: Final = "4242 4242 4242 4242"


def test_a_standing_order_from_the_proposal_to_its_end(world: World) -> None:
    agent, client = world.agent(), world.client(phone=True)
    album = Album(folder=ARTIFACTS / "screens" / world.stack.engine, faults=[])
    order = propose(world, agent, album)
    album.look(agent.page, "crm-standing-order-proposed")
    link = world.mailbox.take(agent.page, ELEANOR, "61.00 for").link("/pay/")
    client.open(link)
    expect(client.page.get_by_role("main")).to_contain_text("US$ 61.00 every month")
    expect(client.page.get_by_role("main")).to_contain_text("Nobody at")
    client.fill_all(number=_CARD)
    client.submit_until_accepted()

    until_charged(world, agent.page, order, 1)
    album.look(agent.page, "crm-standing-order-active", large_text=True)
    payment = world.payment_of(link)
    wait_until(agent.page, lambda: world.card_of(payment) == "removed", "the card to be destroyed", seconds=60)
    expect(agent.page.get_by_role("main")).to_contain_text("1 of 12")

    a_month_passes(world, order)
    until_charged(world, agent.page, order, 2)
    newest = newest_payment(world, order)
    agent.page.goto(f"{world.crm}/payments/{newest}")
    expect(agent.page.get_by_role("main")).to_contain_text("The gateway keeps it for the standing order")
    assert world.stack.query("vault", "SELECT token FROM cards WHERE payment_id = :id", id=newest) == []

    cancel_in_the_portal(world, album)
    wait_until(agent.page, lambda: state_of(world, order) == "cancelled", "the CRM to hear of it", seconds=60)
    agent.page.goto(f"{world.crm}/standing-orders/{order}")
    expect(agent.page.get_by_role("main")).to_contain_text("Cancelled by Eleanor Whitcombe in the portal.")
    world.mailbox.take(agent.page, ELEANOR, "Your standing order is cancelled")
    agent.page.goto(f"{world.crm}/standing-orders")
    album.look(agent.page, "crm-standing-orders")
    assert album.faults == []


def propose(world: World, agent: AgentAtWork, album: Album) -> str:
    """By the booking's page and the form; the order's id."""
    page = agent.page
    agent.open_booking(BOOKING)
    page.get_by_role("main").get_by_role("link", name="Standing order", exact=True).click()
    expect(page.get_by_role("heading", level=1, name="Standing order")).to_be_visible(timeout=_LONG_MS)
    album.look(page, "crm-standing-order-new")
    page.get_by_label("Who pays?").select_option(label="Eleanor Whitcombe")
    page.get_by_label("Amount of each charge").fill("61")
    page.get_by_label("What is it for?").fill("Planning fee, paid monthly")
    page.get_by_role("textbox", name=re.compile("^Number of charges")).fill("12")
    page.get_by_role("button", name="Send for signature").click()
    page.wait_for_url(re.compile(r"/standing-orders/order_"), timeout=_LONG_MS)
    expect(page.get_by_role("main")).to_contain_text("Waits for signature")
    return page.url.rsplit("/", 1)[1]


def until_charged(world: World, page: Page, order: str, times: int) -> None:
    made = "SELECT made FROM standing_order WHERE id = :id"
    wait_until(page, lambda: world.stack.query("crm", made, id=order)[0][0] == times, f"charge {times}", seconds=90)
    page.goto(f"{world.crm}/standing-orders/{order}")


def a_month_passes(world: World, order: str) -> None:
    """The plan began a month ago, and nobody is told ahead: for the worker that is the same as a month later."""
    day = (datetime.now(UTC) - timedelta(days=32)).date().isoformat()
    moved = "UPDATE standing_order SET first_on = :day, notice_days = 0, act_at = created_at WHERE id = :id"
    assert world.stack.execute("crm", moved, day=day, id=order) == 1


def cancel_in_the_portal(world: World, album: Album) -> None:
    page = client_with_account(world, ELEANOR)
    page.goto(f"{world.portal}/payments")
    page.get_by_role("link", name=re.compile("US\\$.61.00 Planning fee")).first.click()
    expect(page.get_by_role("main")).to_contain_text("Visa ending in 4242")
    album.look(page, "portal-standing-order")
    page.get_by_role("button", name="Cancel standing order").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel standing order").click()
    expect(page.get_by_role("main")).to_contain_text("Being cancelled", timeout=_LONG_MS)


def newest_payment(world: World, order: str) -> str:
    query = "SELECT payment_id FROM standing_order_payment WHERE order_id = :id ORDER BY day_index DESC"
    return str(world.stack.query("crm", query, id=order)[0][0])


def state_of(world: World, order: str) -> str:
    return str(world.stack.query("crm", "SELECT state FROM standing_order WHERE id = :id", id=order)[0][0])
