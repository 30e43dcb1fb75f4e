"""Takes the guides' pictures on a way through an agent's tasks (`make guide-pictures` then copies them into the room).

No picture holds a card number: what is clipped is never the frame that shows a card.
"""

import re
from typing import Final

import pytest
from playwright.sync_api import ViewportSize, expect

from services.crm.office.training.service import Guides
from tests.e2e.album import Album
from tests.e2e.conftest import ARTIFACTS, World
from tests.e2e.page_maps import eleanor
from tests.e2e.people import BOOKING, AgentAtWork

# Wide enough for every table to stand without scrolling.
_CONTACTS: Final = (
    "First Name,Last Name,E-mail Address,Mobile Phone\n"
    "Ada,Byron,ada.byron@mail.example,+1 305 555 0142\n"
    "Grace,Hopper,grace.hopper@mail.example,+1 305 555 0143\n"
)
_WIDE: Final[ViewportSize] = {"width": 1280, "height": 900}


@pytest.fixture
def album(world: World) -> Album:
    return Album(folder=ARTIFACTS / "screens" / world.stack.engine, faults=[])


def test_pictures_of_an_agents_tasks(world: World, album: Album) -> None:
    maya = world.agent()
    maya.page.set_viewport_size(_WIDE)
    maya.page.emulate_media(color_scheme="light", reduced_motion="reduce")
    _booking(world, album, maya)
    _people(world, album, maya)


def test_pictures_of_a_payment(world: World, album: Album) -> None:
    maya = world.agent()
    page = maya.page
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    payment, code = world.given_shown_code_form(maya)
    page.set_viewport_size(_WIDE)
    expect(maya.reveal_frame.get_by_label("One-time code")).to_be_visible()
    album.clip(page.locator("#retrieve"), "code")
    page.goto(f"{world.crm}/payments/{payment}")
    album.clip(page.locator("#retrieve"), "retrieve")
    album.clip(page.locator("#facts"), "dispute-pack")
    page.goto(f"{world.crm}/payments")
    album.clip(page.locator("#main"), "report")
    page.goto(f"{world.crm}/links")
    album.clip(page.locator("#main"), "links-overview")
    page.goto(f"{world.crm}/payments/{payment}")
    maya.ask_for_code()
    maya.enter_code(world.mailbox.take(page, maya.account.email, "one-time code for a card").code)
    assert re.sub(r"\D", "", maya.shown_number())
    assert code
    maya.ask_for_cvv_code()
    maya.enter_cvv_code(world.mailbox.take(page, maya.account.email, "one-time code for a CVV").code)
    tab = world.watch(page.context.new_page())
    tab.set_viewport_size(_WIDE)
    tab.goto(world.mailbox.take(page, maya.account.email, "one-time link to a CVV").link("/cvv"))
    expect(tab.frame_locator("#cvv-frame iframe").get_by_role("button", name="Show CVV once")).to_be_enabled()
    album.clip(tab.locator("#main"), "cvv-link")
    tab.close()


def test_pictures_of_an_admins_tasks(world: World, album: Album) -> None:
    ada = world.agent("Ada")
    page = ada.page
    page.set_viewport_size(_WIDE)
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.goto(f"{world.crm}/agency")
    album.clip(page.locator("#look"), "agency")
    page.goto(f"{world.crm}/audit")
    album.clip(page.locator("#main"), "audit")
    taken = {path.stem for path in (album.folder / "guides").glob("*.png")}
    named = {name.removesuffix(".webp") for guide in Guides().all() for name in guide.pictures}
    assert named <= taken, f"no walk takes {sorted(named - taken)}"


def _booking(world: World, album: Album, maya: AgentAtWork) -> None:
    page = maya.page
    page.goto(world.crm)
    album.clip(page.locator("#main"), "dashboard")
    page.goto(f"{world.crm}/bookings/new")
    album.clip(page.locator("#main"), "booking-new")
    maya.open_booking(BOOKING)
    booking = page.url
    album.clip(page.locator("#payments"), "booking-payments")
    page.goto(f"{booking}/segments/new")
    album.clip(page.locator("#main"), "segment")
    page.goto(booking)
    page.get_by_role("link", name="Payment authorization link").click()
    album.clip(page.locator("#main"), "link-form")
    page.goto(f"{booking}/payments/new")
    album.clip(page.locator("#main"), "recorded-payment")
    page.goto(f"{world.crm}/visits/new/{booking.rpartition('/')[2]}")
    album.clip(page.locator("#main"), "everything-at-once")
    page.goto(f"{booking}/itinerary")
    album.clip(page.locator("#main"), "itinerary")


def _people(world: World, album: Album, maya: AgentAtWork) -> None:
    page = maya.page
    client = f"{world.crm}/clients/{eleanor(world.stack)}"
    page.goto(client)
    album.clip(page.locator("#main"), "client")
    page.goto(f"{world.crm}/groups")
    page.get_by_role("link", name="Whitcombe Orchards").first.click()
    album.clip(page.locator("#main"), "company")
    page.goto(f"{client}/portal-access")
    album.clip(page.locator("#main"), "portal-invitation")
    page.goto(f"{world.crm}/quotes")
    page.locator("tbody").get_by_role("link").first.click()
    album.clip(page.locator("#main"), "quote")
    page.goto(f"{world.crm}/standing-orders?sort=state")
    page.locator("tbody").get_by_role("link").first.click()
    expect(page.locator("#charged")).to_be_visible()
    album.clip(page.locator("#main"), "standing-order")
    page.goto(f"{world.crm}/calendar")
    album.clip(page.locator("#main"), "calendar")
    page.goto(f"{world.crm}/clients?country=CA&sort=changed")
    page.get_by_role("link", name="Save this view").click()
    page.get_by_label("Name").fill("Canada, last changed")
    page.get_by_role("button", name="Save view").click()
    expect(page.get_by_text("is saved. You find it above the list.")).to_be_visible()
    album.clip(page.locator("#main"), "saved-views")
    page.goto(f"{world.crm}/reminders")
    album.clip(page.locator("#main"), "reminders")
    page.goto(f"{world.crm}/public-page")
    album.clip(page.locator("#main"), "public-page")
    page.goto(f"{world.crm}/suppliers")
    album.clip(page.locator("#main"), "suppliers")
    page.goto(f"{world.crm}/clients/import")
    page.locator("input[type=file]").set_input_files(
        {"name": "contacts.csv", "mimeType": "text/csv", "buffer": _CONTACTS.encode()}
    )
    page.get_by_role("button", name="Upload file").click()
    expect(page.get_by_role("heading", level=1, name="Match the columns")).to_be_visible()
    album.clip(page.locator("#main"), "import-columns")
    page.goto(f"{world.crm}/support?state=answered")
    page.locator("tbody").get_by_role("link").first.click()
    album.clip(page.locator("#main"), "support")
