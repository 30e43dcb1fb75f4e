"""A fee is charged through the agency's gateway, confirmed or declined; money goes back, by two people where the agency
wants it (G1 to G4). The demo's gateway is the simulator, its cards the published ones."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e.album import Album
from tests.e2e.conftest import ARTIFACTS, DESKTOP, World
from tests.e2e.people import ELEANOR, AgentAtWork

_LONG_MS = 20_000
# docs.stripe.com/testing
_NO_MONEY = "4000 0000 0000 9995"
_ASKS_THE_CLIENT = "4000 0025 0000 3155"


@pytest.fixture
def album(world: World) -> Iterator[Album]:
    made = Album(folder=ARTIFACTS / "screens" / world.stack.engine, faults=[])
    yield made
    assert not made.faults, "\n".join(made.faults)


def _charge(agent: AgentAtWork) -> None:
    """Presses Charge, and says yes."""
    agent.page.set_viewport_size(DESKTOP)
    agent.page.get_by_role("button", name=re.compile(r"^Charge US")).first.press("Enter")
    agent.page.get_by_role("dialog").get_by_role("button", name=re.compile(r"^Charge US")).click()


def test_a_client_is_led_to_their_bank_and_back(world: World, album: Album) -> None:
    maya = world.agent()
    _, payment = world.given_authorized(maya, number=_ASKS_THE_CLIENT, fee=True)
    maya.page.get_by_role("button", name=re.compile(r"^Charge US")).first.press("Enter")
    expect(maya.page.get_by_role("dialog")).to_be_visible()
    album.glance(maya.page, "crm-charge-confirm")
    maya.page.goto(f"{world.crm}/payments/{payment}")
    _charge(maya)
    expect(maya.page.get_by_text("has to confirm this charge")).to_be_visible(timeout=_LONG_MS)
    album.glance(maya.page, "crm-charge-needs-client")

    bank = world.mailbox.take(maya.page, ELEANOR, "Please confirm").link("/3ds/")
    eleanor = world.window()
    eleanor.goto(bank)
    eleanor.get_by_role("button", name="Yes, go on").click()
    # It waits for the last word, or has it already.
    done = eleanor.get_by_role("heading", name="Your payment is done")
    expect(done.or_(eleanor.get_by_role("heading", name="Thank you"))).to_be_visible(timeout=_LONG_MS)


def test_a_decline_is_told_with_what_to_do(world: World, album: Album) -> None:
    maya = world.agent()
    world.given_authorized(maya, number=_NO_MONEY, fee=True)
    _charge(maya)
    expect(maya.page.get_by_text("There is not enough money on the card.")).to_be_visible(timeout=_LONG_MS)
    album.glance(maya.page, "crm-charge-declined")


def test_a_refund_above_the_limit_goes_out_when_another_admin_approves(world: World, album: Album) -> None:
    maya, ada = world.agent(), world.agent("Ada")
    _set_limit(world, ada, "100")
    try:
        _, payment = world.given_authorized(maya, fee=True)
        _charge(maya)
        # The answer's own words: the page before it may say by itself that it is charged, and is about to go.
        expect(maya.page.get_by_text("Charged. Card and CVV are being destroyed")).to_be_visible(timeout=_LONG_MS)
        _refund(maya, "150.00", album)
        expect(maya.page.get_by_text("Waits for an admin")).to_be_visible(timeout=_LONG_MS)
        album.glance(maya.page, "crm-refund-waits")

        ada.page.goto(world.mailbox.take(ada.page, ada.account.email, "asks for a refund").link("/approvals/refunds/"))
        album.glance(ada.page, "crm-refund-approval")
        ada.page.set_viewport_size(DESKTOP)
        assert ada.account.totp_secret is not None
        ada.enter_authenticator_code(ada.account.totp_secret, "Approve refund of US$\u00a0150.00")
        expect(ada.page.get_by_text("approved it")).to_be_visible(timeout=_LONG_MS)
        ada.page.goto(f"{world.crm}/approvals")
        album.glance(ada.page, "crm-approvals")

        world.mailbox.take(maya.page, maya.account.email, "Approved: refund of")
        maya.page.goto(f"{world.crm}/payments/{payment}")
        expect(maya.page.get_by_text("Approved by Ada Lindqvist")).to_be_visible()
        for name in ("charges", "payouts"):
            ada.page.goto(f"{world.crm}/reports/{name}")
            expect(ada.page.get_by_text("Service fee").or_(ada.page.get_by_text("Whitcombe")).first).to_be_visible()
            album.glance(ada.page, f"crm-report-{name}")
    finally:
        _set_limit(world, ada, "")


def _refund(agent: AgentAtWork, amount: str, album: Album) -> None:
    # Its words may be seen before its scripts listen.
    agent.page.wait_for_load_state()
    agent.page.get_by_role("button", name="Refund…").press("Enter")
    dialog = agent.page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    album.glance(agent.page, "crm-refund-form")
    agent.page.set_viewport_size(DESKTOP)
    dialog.get_by_label("Amount to refund").fill(amount)
    dialog.get_by_label("Why?").fill("The excursion was cancelled")
    dialog.get_by_role("button", name="Refund").click()


def _set_limit(world: World, admin: AgentAtWork, amount: str) -> None:
    admin.page.set_viewport_size(DESKTOP)
    admin.page.goto(f"{world.crm}/agency")
    admin.page.get_by_label("Refunds above this need another admin").fill(amount)
    admin.page.get_by_role("button", name="Save agency").press("Enter")
    expect(admin.page.get_by_text("The agency is saved.")).to_be_visible(timeout=_LONG_MS)
