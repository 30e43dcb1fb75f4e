"""Ada's own pages: a question answered, a logo that clients see, and who saw which card."""

import io
import re

from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect

from tests.e2e.conftest import World
from tests.e2e.people import wait_until


def test_an_agent_finds_a_guide_asks_her_admin_and_reads_the_answer(world: World) -> None:
    maya, ada = world.agent(), world.agent("Ada")
    page = maya.page
    page.goto(f"{world.crm}/training")
    page.get_by_role("searchbox", name="Search the guides").fill("merge")
    expect(page.get_by_role("link", name="Retrieve a card and pay the supplier")).to_have_count(0)
    page.get_by_role("link", name="Merge two profiles of one person").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Merge two profiles of one person")
    page.get_by_role("link", name="Ask your admins").click()
    page.get_by_label("What is it about?").fill("Two profiles of one client")
    page.get_by_label("Your question").fill("Which of the two shall stay?")
    page.get_by_role("button", name="Send to your admins").click()
    asked = world.mailbox.take(page, ada.account.email, "Two profiles of one client")
    ada.page.goto(asked.link("/support/"))
    ada.page.get_by_label("Your message").fill("The one with the newer address.")
    ada.page.get_by_role("button", name="Send answer to Maya Okafor").click()
    answered = world.mailbox.take(page, maya.account.email, "Two profiles of one client")
    page.goto(answered.link("/support/"))
    expect(page.get_by_text("The one with the newer address.")).to_be_visible()
    page.get_by_role("button", name="That solves it, close").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Support")


def test_an_admins_logo_reaches_the_client(world: World) -> None:
    maya, ada = world.agent(), world.agent("Ada")
    link, _ = world.given_link(maya)
    page = ada.page
    page.goto(f"{world.crm}/agency")
    page.get_by_label("Picture").set_input_files({"name": "logo.png", "mimeType": "image/png", "buffer": _logo()})
    page.get_by_role("button", name="Use this picture").click()
    expect(page.get_by_text("This is your logo now")).to_be_visible()
    guest = world.window()
    wait_until(guest, lambda: _shows_logo(guest, link), "the portal to show the logo", seconds=60)
    page.goto(f"{world.crm}/agency")
    page.get_by_role("button", name="Take it away").click()
    expect(page.get_by_text("The logo is taken away")).to_be_visible()


def test_an_admin_reads_who_saw_which_card_and_never_a_card(world: World) -> None:
    maya, ada = world.agent(), world.agent("Ada")
    payment, code = world.given_shown_code_form(maya)
    maya.enter_code(code)
    assert maya.shown_number()
    page = ada.page
    page.goto(f"{world.crm}/audit?payment={payment}")
    row = page.get_by_role("row").filter(has_text="Card shown once")
    expect(row).to_contain_text("Maya Okafor")
    expect(row).to_contain_text("Fits")
    expect(page.get_by_text("Every row is as it was written")).to_be_visible()
    assert not re.search(r"4111 ?1111", page.content())


def _shows_logo(guest: Page, link: str) -> bool:
    guest.goto(link.partition("#")[0])
    return guest.locator("img.wv-brand-logo").count() == 1


def _logo() -> bytes:
    image = Image.new("RGB", (240, 120), "white")
    ImageDraw.Draw(image).ellipse((70, 10, 170, 110), fill="#aa3300")
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
