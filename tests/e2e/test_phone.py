"""A card by phone (T1 to T5, T9), in the agent's browser, with the demo's two telephones on a real call."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Page, expect

from deploy.phone.demo_call import DemoCall
from tests.e2e.album import Album
from tests.e2e.conftest import ARTIFACTS, World
from tests.e2e.people import BOOKING, CVV, ELEANOR, VISA, AgentAtWork
from tests.support.stack import Stack

pytestmark = pytest.mark.skipif(shutil.which("kamailio") is None, reason="Kamailio is not installed")
_DIGITS = VISA.replace(" ", "")
_KEYED_MS = 15_000


@pytest.fixture(scope="module")
def telephones(stack: Stack) -> Iterator[Stack]:
    """The stack with Kamailio and the masker."""
    if stack.engine == "real":
        pytest.skip("the engines make no difference to a telephone")
    with stack.phones():
        yield stack


@pytest.fixture
def album(world: World) -> Iterator[Album]:
    made = Album(ARTIFACTS, [])
    yield made
    assert not made.faults, "\n".join(made.faults)


@pytest.fixture
def call(telephones: Stack) -> Iterator[DemoCall]:
    """The client on the telephone with the agent."""
    with ExitStack() as undo:
        made = DemoCall(telephones.state, undo)
        undo.callback(made.hang_up)
        yield made


def panel_of(world: World, agent: AgentAtWork, amount: str) -> Page:
    """From the booking to the script that is read out."""
    page = agent.page
    page.goto(f"{world.crm}/bookings")
    page.get_by_role("link", name=BOOKING).first.click()
    page.get_by_role("link", name="Take card by phone").click()
    page.get_by_label("Who pays?").select_option(label="Eleanor Whitcombe")
    page.get_by_label("Amount").fill(amount)
    page.get_by_label("What is it for?").fill("Deposit, taken by phone")
    page.get_by_role("button", name="Go on to the call").click()
    expect(page.get_by_role("heading", name="Read this to the client")).to_be_visible()
    return page


def tied(page: Page, call: DemoCall) -> None:
    """The client agrees, the agent keys the PIN, the fields come up."""
    page.get_by_label("I have read this, and the client agreed").check()
    page.get_by_role("button", name="Start secure session").click()
    expect(page.locator("#phone-pin")).to_contain_text("*")
    pin = "".join(char for char in page.locator("#phone-pin").inner_text() if char.isdigit())
    call.pin(pin)
    expect(page.get_by_role("button", name="Capture: Card number")).to_be_visible(timeout=_KEYED_MS)


def keyed(page: Page, call: DemoCall, field: str, digits: str, *, by: str = "event") -> None:
    """A field that is taken."""
    row = page.locator(f'[data-field="{field}"]')
    row.locator("[data-capture]").click()
    expect(row.locator("[data-back]")).to_be_visible()
    call.key(digits, by=by)
    expect(row.locator("[data-state]")).to_have_text("✓ Valid", timeout=_KEYED_MS)


def fill_holder(page: Page) -> None:
    page.get_by_label("Name as printed on the card").fill("Eleanor Whitcombe")
    page.get_by_label("Street").fill("12 Harbour Street")
    page.get_by_label("City").fill("Portland")
    page.get_by_label("Country").select_option(label="United States")


def test_a_card_is_keyed_in_a_call_and_the_agent_sees_dots(world: World, album: Album, call: DemoCall) -> None:
    agent = world.agent()
    page = panel_of(world, agent, "318.20")
    album.look(page, "crm-phone-script")
    tied(page, call)
    row = page.locator('[data-field="number"]')
    row.locator("[data-capture]").click()
    call.key("4111111111111112")
    expect(row.locator("[data-state]")).to_contain_text("not a card number", timeout=_KEYED_MS)
    album.look(page, "crm-phone-refused")
    keyed(page, call, "number", _DIGITS, by="sound")
    expect(row.locator("[data-brand]")).to_have_text("Visa")
    expect(row.locator("[data-count]")).to_have_text("16 digits")
    keyed(page, call, "expiry", "1231", by="info")
    keyed(page, call, "cvv", CVV, by="both")
    assert _DIGITS not in page.content()
    album.look(page, "crm-phone-fields")
    fill_holder(page)
    page.get_by_role("button", name="Store card").click()
    page.wait_for_url("**/payments/*")
    expect(page.get_by_text("By phone").first).to_be_visible()
    expect(page.get_by_text("Signature outstanding")).to_be_visible()
    payment = page.url.rpartition("/")[2].partition("?")[0]
    (card,) = world.stack.query("vault", "SELECT state FROM cards WHERE payment_id = :id", id=payment)
    assert card[0]
    world.mailbox.take(page, ELEANOR, "sign")
    page.goto(f"{world.crm}/phone/calls")
    expect(page.get_by_role("cell", name="Card stored").first).to_be_visible()
    album.look(page, "crm-phone-calls")
