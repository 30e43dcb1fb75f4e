"""An admin enters the keys of their gateway in the secure frame, and a card is charged with them (G3)."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import FrameLocator, expect

from tests.e2e.album import Album
from tests.e2e.conftest import ARTIFACTS, DESKTOP, World
from tests.e2e.people import AgentAtWork
from tests.e2e.test_z_card_data_stays import everywhere
from tests.support.canary import GATEWAY_KEYS, Scanner

_LONG_MS = 20_000
KEY, SIGNING = GATEWAY_KEYS


@pytest.fixture
def album(world: World) -> Iterator[Album]:
    made = Album(folder=ARTIFACTS / "screens" / world.stack.engine, faults=[])
    yield made
    assert not made.faults, "\n".join(made.faults)


def _frame(admin: AgentAtWork) -> FrameLocator:
    return admin.page.frame_locator("#keys-frame iframe")


def _store(admin: AgentAtWork) -> None:
    _frame(admin).get_by_role("button", name="Check and store").click()


def _open_form(world: World, admin: AgentAtWork) -> None:
    admin.page.set_viewport_size(DESKTOP)
    admin.page.goto(f"{world.crm}/agency/gateway")
    assert admin.account.totp_secret is not None
    admin.enter_authenticator_code(admin.account.totp_secret, "Replace keys")
    expect(_frame(admin).get_by_label("Secret key")).to_be_visible(timeout=_LONG_MS)


def test_keys_are_entered_proven_and_charge_a_card(world: World, album: Album) -> None:
    ada = world.agent("Ada")
    # Who has opened no form is led to the gateway's page.
    ada.page.goto(f"{world.crm}/agency/gateway/keys")
    expect(ada.page.get_by_role("heading", name="Payment gateway")).to_be_visible()
    ada.page.goto(f"{world.crm}/agency")
    ada.page.get_by_role("link", name="Payment gateway").click()
    expect(ada.page.get_by_text("Test mode").first).to_be_visible()
    album.look(ada.page, "crm-gateway", large_text=True)

    _open_form(world, ada)
    frame = _frame(ada)
    for typed, words in (
        ("pk_test_simulator0000", "That is the publishable key"),
        ("sk_test_unknowntogateway", "The gateway does not accept this key"),
    ):
        frame.get_by_label("Secret key").fill(typed)
        _store(ada)
        expect(frame.get_by_text(words)).to_be_visible(timeout=_LONG_MS)
        expect(frame.get_by_label("Secret key")).to_have_value(typed)
    album.look(ada.page, "crm-gateway-keys-refused", large_text=True)

    ada.page.set_viewport_size(DESKTOP)
    frame.get_by_label("Secret key").fill("sk_live_simulator0000")
    expect(frame.get_by_text("Live: real money moves.")).to_be_visible()
    _store(ada)
    expect(frame.get_by_text("Tick this to go on")).to_be_visible()
    album.look(ada.page, "crm-gateway-keys-live")

    ada.page.set_viewport_size(DESKTOP)
    frame.get_by_label("Secret key").fill(KEY)
    frame.get_by_label("Signing secret of the webhook").fill(SIGNING)
    expect(frame.get_by_text("Test: no money moves.")).to_be_visible()
    _store(ada)
    expect(frame.get_by_text("The gateway accepts the key, and it is stored.")).to_be_visible(timeout=_LONG_MS)
    expect(frame.get_by_text(f"…{KEY[-4:]}")).to_be_visible()
    album.look(ada.page, "crm-gateway-keys-stored")

    ada.page.get_by_role("link", name="Back to the payment gateway").click()
    expect(ada.page.get_by_text(f"Ends in {KEY[-4:]}")).to_be_visible()
    expect(ada.page.get_by_text("Ada Lindqvist").first).to_be_visible()
    ada.page.get_by_role("button", name="Check now").click()
    expect(ada.page.get_by_text("The gateway accepts the key.")).to_be_visible(timeout=_LONG_MS)
    album.look(ada.page, "crm-gateway-entered")

    maya = world.agent()
    world.given_authorized(maya, fee=True)
    maya.page.set_viewport_size(DESKTOP)
    maya.page.get_by_role("button", name=re.compile(r"^Charge US")).first.press("Enter")
    maya.page.get_by_role("dialog").get_by_role("button", name=re.compile(r"^Charge US")).click()
    expect(maya.page.get_by_text("Charged. Card and CVV are being destroyed")).to_be_visible(timeout=_LONG_MS)

    keys = Scanner([], secrets=GATEWAY_KEYS)
    hits = {where: sorted(found) for where, found in everywhere(world.stack, keys, keys)}
    assert not hits, json.dumps(hits, indent=1)


def test_an_agent_finds_no_gateway(world: World) -> None:
    maya = world.agent()
    answer = maya.page.goto(f"{world.crm}/agency/gateway")
    assert answer is not None
    assert answer.status == 404
