"""An agent's everyday: find, add and merge clients, tick off a task, open a booking by keyboard (C2–C5)."""

import re

from playwright.sync_api import expect

from tests.e2e.album import Album
from tests.e2e.conftest import ARTIFACTS, World
from tests.e2e.people import BOOKING

_PATIENCE_MS = 20_000


def test_a_client_is_found_while_typing_and_two_profiles_become_one(world: World) -> None:
    page = world.agent().page
    for phone in ("+1 401 555 0171", ""):
        page.goto(f"{world.crm}/clients/new")
        page.get_by_label("First name").fill("Thea")
        page.get_by_label("Last name").fill("Lindgren-Voss")
        page.get_by_label(re.compile("^Phone")).fill(phone)
        page.get_by_role("button", name="Save client").click()
        expect(page.get_by_role("heading", level=1, name="Thea Lindgren-Voss")).to_be_visible(timeout=_PATIENCE_MS)
    second = page.url
    page.wait_for_load_state()
    page.keyboard.press("/")
    page.keyboard.type("thea voss")
    expect(page.locator("#wv-search-results a").filter(has_text="Lindgren-Voss")).to_have_count(2, timeout=_PATIENCE_MS)

    page.keyboard.press("Escape")
    page.get_by_label("New task").fill("Ask about her passport")
    page.get_by_role("button", name="Add task").click()
    page.get_by_role("link", name="Merge").click()
    page.get_by_role("link", name=re.compile("^Compare with Thea")).click()
    page.get_by_role("link", name="Keep the other one instead").click()
    page.get_by_role("button", name=re.compile("^Merge Thea")).click()
    expect(page.get_by_text("The two profiles are one now.")).to_be_visible(timeout=_PATIENCE_MS)
    kept = page.url
    expect(page.get_by_text("Ask about her passport")).to_be_visible()
    expect(page.get_by_role("link", name="+1 401 555 0171")).to_be_visible()
    page.goto(second)
    assert page.url == kept
    page.get_by_role("button", name="Done: Ask about her passport").click()
    expect(page.get_by_text("Done: Ask about her passport")).to_be_visible(timeout=_PATIENCE_MS)


def test_a_booking_is_opened_by_keyboard_with_passengers_that_are_searched_for(world: World) -> None:
    agent = world.agent()
    page = agent.page
    page.goto(world.crm)
    page.keyboard.press("n")
    expect(page.get_by_role("heading", level=1, name="New booking")).to_be_visible(timeout=_PATIENCE_MS)
    page.wait_for_load_state()
    page.get_by_label("Title").fill("Weekend in Bergen")
    search = page.get_by_label("Add a passenger")
    for name in ("robert whitcombe", "eleanor whitcombe"):
        search.press_sequentially(name)
        expect(page.locator("[data-crm-found] [name=passengers]")).to_have_count(1, timeout=_PATIENCE_MS)
        search.press("Enter")
    people = page.get_by_role("list", name="Who travels")
    expect(people.get_by_role("checkbox", checked=True)).to_have_count(2)
    page.get_by_role("radio", name="Eleanor Whitcombe is the lead passenger").check()
    page.get_by_role("button", name="Open booking").click()
    expect(page.get_by_role("heading", level=1, name="Weekend in Bergen")).to_be_visible(timeout=_PATIENCE_MS)
    expect(page.locator("#passengers li").first).to_contain_text("Eleanor Whitcombe")
    page.wait_for_load_state()
    page.keyboard.press("p")
    expect(page.get_by_role("heading", level=1, name="Payment report")).to_be_visible(timeout=_PATIENCE_MS)
    page.wait_for_load_state()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    agent.open_booking(BOOKING)


def test_a_household_is_made_found_and_booked_for_as_a_whole(world: World) -> None:
    page = world.agent().page
    album = Album(folder=ARTIFACTS / "screens" / world.stack.engine, faults=[])
    page.goto(f"{world.crm}/clients/new")
    page.get_by_label("First name").fill("Tove")
    page.get_by_label("Last name").fill("Halvorsen-Quist")
    page.get_by_role("button", name="Save client").click()
    page.get_by_role("link", name="Add to a company or household").click()
    album.look(page, "crm-groups-choose")
    page.get_by_role("link", name="New household").click()
    expect(page.get_by_label("Name")).to_have_value("Halvorsen-Quist household", timeout=_PATIENCE_MS)
    page.get_by_role("button", name="Add household").click()
    expect(page.get_by_role("heading", level=1, name="Halvorsen-Quist household")).to_be_visible(timeout=_PATIENCE_MS)
    page.get_by_label("Add a client").fill("eleanor")
    page.get_by_label("Add a client").press("Enter")
    page.get_by_role("button", name="Add Eleanor Whitcombe").click()
    expect(page.get_by_text("Eleanor Whitcombe belongs to Halvorsen-Quist household.")).to_be_visible()
    album.look(page, "crm-groups-household")
    page.get_by_role("link", name="New booking for everybody").click()
    people = page.get_by_role("list", name="Who travels")
    expect(people.get_by_role("checkbox", checked=True)).to_have_count(2, timeout=_PATIENCE_MS)
    page.wait_for_load_state()
    page.keyboard.press("Control+k")
    page.keyboard.type("halvorsen-quist")
    page.get_by_role("option", name=re.compile("Halvorsen-Quist household")).click()
    page.get_by_role("link", name="Edit household").click()
    page.get_by_role("button", name="Remove household").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove household").click()
    expect(page.get_by_text("Who belonged to it is still a client of yours.")).to_be_visible(timeout=_PATIENCE_MS)
    album.look(page, "crm-groups-list")
    page.get_by_role("link", name="Whitcombe Orchards").click()
    expect(page.get_by_role("link", name="accounts@orchards.example")).to_be_visible(timeout=_PATIENCE_MS)
    album.look(page, "crm-groups-company")
    page.get_by_role("link", name="Edit company").click()
    album.look(page, "crm-groups-edit")
    assert album.faults == []


def test_a_list_is_imported_and_the_import_undone(world: World) -> None:
    page = world.agent().page
    album = Album(folder=ARTIFACTS / "screens" / world.stack.engine, faults=[])
    page.goto(f"{world.crm}/clients")
    page.get_by_role("link", name="Import clients").first.click()
    album.look(page, "crm-import-start")
    content = "Vorname;Nachname;E-Mail;Ort\nZoë;Lindgren;zoe@mail.example;Lund\n"
    content += "Eleanor;Whitcombe;eleanor.whitcombe@mail.example;Salem\n;;x;\n"
    page.get_by_label("File").set_input_files(
        {"name": "contacts.csv", "mimeType": "text/csv", "buffer": content.encode("cp1252")}
    )
    page.get_by_role("button", name="Upload file").click()
    expect(page.get_by_role("heading", level=1, name="Match the columns")).to_be_visible()
    expect(page.get_by_role("cell", name="Zoë Lindgren")).to_be_visible()
    album.look(page, "crm-import-columns")
    page.get_by_role("button", name="Check all 3 rows").click()
    expect(page.get_by_role("heading", name="What would happen")).to_be_visible(timeout=_PATIENCE_MS)
    album.look(page, "crm-import-checked")
    page.get_by_role("link", name="Compare side by side").click()
    expect(page.get_by_role("heading", level=1, name="Similar rows")).to_be_visible(timeout=_PATIENCE_MS)
    page.wait_for_load_state()
    row = page.locator(".crm-pairs .wv-panel").first
    album.look(page, "crm-import-similar", large_text=True)
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        row.get_by_role("radio", name="Salem").focus()
        page.keyboard.press("Space")
    expect(row.get_by_role("radio", name=re.compile("^Update the client"))).to_be_checked()
    page.reload()
    expect(row.get_by_role("radio", name="Salem")).to_be_checked()
    row.get_by_role("radio", name="Leave out").check()
    page.get_by_role("button", name="Save this page").click()
    page.get_by_role("link", name="Back to the import").click()
    expect(page.get_by_text("1 row decided")).to_be_visible(timeout=_PATIENCE_MS)
    page.get_by_role("button", name="Import 2 rows").click()
    expect(page.get_by_role("button", name="Undo this import")).to_be_visible(timeout=_PATIENCE_MS)
    album.look(page, "crm-import-done")
    here = page.url
    page.get_by_role("link", name="Similar rows").click()
    expect(page.get_by_text("Left out")).to_be_visible(timeout=_PATIENCE_MS)
    page.goto(f"{world.crm}/clients?q=zoe+lindgren")
    expect(page.get_by_role("link", name="Lindgren, Zoë")).to_be_visible()
    page.goto(here)
    page.get_by_role("button", name="Undo this import").click()
    page.get_by_role("dialog").get_by_role("button", name="Undo import").click()
    expect(page.get_by_text("Clients removed")).to_be_visible(timeout=_PATIENCE_MS)
    page.goto(f"{world.crm}/clients?q=zoe+lindgren")
    expect(page.get_by_text("Nobody matches")).to_be_visible()
    assert album.faults == []
