"""A card by phone (T1 to T5, T9), in the agent's browser, with the demo's two telephones on a real call."""

import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Page, expect

from deploy.phone.check import check
from deploy.phone.demo_call import DemoCall
from tests.e2e.album import Album
from tests.e2e.conftest import ARTIFACTS, World
from tests.e2e.people import BOOKING, CVV, ELEANOR, VISA, AgentAtWork
from tests.support.stack import Stack

pytestmark = pytest.mark.skipif(shutil.which("kamailio") is None, reason="Kamailio is not installed")
_DIGITS = VISA.replace(" ", "")
_KEYED_MS = 15_000
_SOON_MS = 3_000


@pytest.fixture(scope="module")
def telephones(stack: Stack) -> Iterator[Stack]:
    """The stack with Kamailio and the masker."""
    if stack.engine == "real":
        pytest.skip("the engines make no difference to a telephone")
    with stack.phones():
        yield stack


@pytest.fixture
def album(world: World) -> Iterator[Album]:
    made = Album(folder=ARTIFACTS / "screens" / world.stack.engine, faults=[])
    yield made
    assert not made.faults, "\n".join(made.faults)


@pytest.fixture
def call(telephones: Stack) -> Iterator[DemoCall]:
    """The client on the telephone with the agent."""
    with ExitStack() as undo:
        made = DemoCall(telephones.state, undo)
        undo.callback(made.hang_up)
        yield made


def panel_of(world: World, agent: AgentAtWork, amount: str, *, fee: bool = False) -> Page:
    """From the booking to the script that is read out."""
    page = asked_for(world, agent, amount, fee=fee)
    expect(page.get_by_role("heading", name="Read this to the client")).to_be_visible()
    return page


def asked_for(world: World, agent: AgentAtWork, amount: str, *, fee: bool = False) -> Page:
    """From the booking to the panel. `fee`: the agency's own, which it charges itself."""
    page = agent.page
    page.goto(f"{world.crm}/bookings")
    page.get_by_role("link", name=BOOKING).first.click()
    page.get_by_role("link", name="Take card by phone").click()
    page.get_by_label("Who pays?").select_option(label="Eleanor Whitcombe")
    if fee:
        page.get_by_label("Service fee", exact=True).check()
        page.get_by_label("Which part of the trip?").select_option(label="None: the agency's own service fee")
    page.get_by_label("Amount").fill(amount)
    page.get_by_label("What is it for?").fill("Deposit, taken by phone")
    page.get_by_role("button", name="Go on to the call").click()
    page.wait_for_url("**/payments/*/phone")
    return page


def tied(page: Page, call: DemoCall, album: Album | None = None) -> None:
    """The client agrees, the agent keys the PIN, the fields come up."""
    page.get_by_label("I have read this, and the client agreed").check()
    page.get_by_role("button", name="Start secure session").click()
    expect(page.locator("#phone-pin")).to_contain_text("*")
    if album is not None:
        album.look(page, "crm-phone-pin")
    pin = "".join(char for char in page.locator("#phone-pin").inner_text() if char.isdigit())
    call.pin(pin)
    expect(page.get_by_role("button", name="Capture: Card number")).to_be_visible(timeout=_KEYED_MS)


def half_keyed(page: Page, call: DemoCall) -> None:
    """The client is in the middle of the number."""
    row = page.locator('[data-field="number"]')
    row.locator("[data-capture]").click()
    expect(row.locator("[data-back]")).to_be_visible()
    call.client.key(_DIGITS[:7])
    expect(row.locator("[data-count]")).to_have_text("7 digits", timeout=_KEYED_MS)


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


def test_without_telephones_the_panel_says_who_can_set_them_up_and_offers_a_link(world: World, album: Album) -> None:
    page = asked_for(world, world.agent(), "207.10")
    expect(page.get_by_text("Phone payments are not set up here")).to_be_visible()
    expect(page.get_by_text("An operator can set them up")).to_be_visible()
    album.look(page, "crm-phone-not-set-up")
    page.get_by_role("button", name="Send a link instead").click()
    expect(page.get_by_text("The link is on its way to")).to_be_visible()
    album.look(page, "crm-phone-link-instead")


def test_a_card_is_keyed_in_a_call_and_the_agent_sees_dots(world: World, album: Album, call: DemoCall) -> None:
    agent = world.agent()
    page = panel_of(world, agent, "318.20")
    album.look(page, "crm-phone-script")
    tied(page, call, album)
    row = page.locator('[data-field="number"]')
    row.locator("[data-capture]").click()
    expect(row.locator("[data-back]")).to_be_visible()
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


def test_a_fee_is_charged_in_the_same_panel_while_the_client_is_on_the_line(
    world: World, album: Album, call: DemoCall
) -> None:
    page = panel_of(world, world.agent(), "145.30", fee=True)
    tied(page, call)
    for field, digits in (("number", _DIGITS), ("expiry", "1231"), ("cvv", CVV)):
        keyed(page, call, field, digits)
    fill_holder(page)
    page.get_by_role("button", name="Store card").click()
    page.wait_for_url("**/payments/*/phone")
    charge = re.compile(r"^Charge US")
    expect(page.get_by_role("button", name=charge)).to_be_visible()
    album.look(page, "crm-phone-charge")
    page.get_by_role("button", name=charge).first.press("Enter")
    page.get_by_role("dialog").get_by_role("button", name=charge).click()
    expect(page.get_by_text("Tell Eleanor Whitcombe that it is charged")).to_be_visible(timeout=_KEYED_MS)
    assert call.client.in_call.is_set(), "the client is still on the line"
    album.look(page, "crm-phone-charged")
    page.goto(f"{world.crm}/phone/calls")
    expect(page.get_by_role("cell", name=re.compile("^Charged.*145.30"))).to_be_visible()


def test_the_agent_reads_within_three_seconds_that_the_masker_died_and_nothing_is_stored(
    world: World, album: Album, call: DemoCall
) -> None:
    page = panel_of(world, world.agent(), "212.40")
    tied(page, call)
    half_keyed(page, call)
    album.look(page, "crm-phone-dots")
    payment = page.url.rpartition("/payments/")[2].partition("/")[0]
    with world.stack.without("vault-phone", kill=True):
        expect(page.locator("#phone-says")).to_contain_text("The secure line does not answer", timeout=_SOON_MS)
        album.look(page, "crm-phone-masker-away")
    expect(page.locator("#phone-over-words")).to_contain_text("Nothing was stored", timeout=_KEYED_MS)
    album.look(page, "crm-phone-masker-died")
    assert not world.stack.query("vault", "SELECT 1 FROM cards WHERE payment_id = :id", id=payment)
    page.get_by_role("button", name="Send a link instead").click()
    expect(page.get_by_text("The link is on its way to")).to_be_visible()


def test_the_agent_reads_within_three_seconds_that_exchange_or_vault_died_and_goes_on(
    world: World, album: Album, call: DemoCall
) -> None:
    page = panel_of(world, world.agent(), "214.80")
    tied(page, call)
    half_keyed(page, call)
    for process, words in (("kamailio-sip", "telephone exchange"), ("vault-serve", "vault")):
        with world.stack.without(process, kill=True):
            expect(page.locator("#phone-silent")).to_contain_text(f"The {words} does not answer", timeout=_SOON_MS)
            album.glance(page, f"crm-phone-{process}-away")
        expect(page.locator("#phone-silent")).to_be_hidden(timeout=_KEYED_MS)
    call.key(_DIGITS[7:])
    expect(page.locator('[data-field="number"] [data-state]')).to_have_text("✓ Valid", timeout=_KEYED_MS)
    page.get_by_role("button", name="Cancel session").click()
    expect(page.get_by_text("every digit is gone")).to_be_visible()
    album.look(page, "crm-phone-cancelled")


def test_an_admin_sees_that_a_test_call_had_sound_both_ways(world: World, album: Album, telephones: Stack) -> None:
    page = world.agent("Ada").page
    page.goto(f"{world.crm}/phone/settings")
    expect(page.get_by_text("None since the masker started")).to_be_visible()
    check(telephones.state.phone, ("127.0.0.1", telephones.state.ports.sip), "127.0.0.1")
    page.reload()
    expect(page.get_by_text("Last had sound both ways")).to_be_visible()
    expect(page.get_by_text("Last heard")).to_be_visible()
    album.glance(page, "crm-phone-ready")
