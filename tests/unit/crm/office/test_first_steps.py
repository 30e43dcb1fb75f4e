"""An empty agency's admin is led, and hands its agents a community link and a Quick Sheet (C20)."""

import io

import pytest
from PIL import Image

from chassis.errors import InvalidArgument, PermissionDenied, Unavailable
from services.crm.office.first_steps.rules import CLOSED, Facts, Step, todos
from services.crm.office.handouts.service import Handouts
from tests.support.cards import PUBLISHED
from tests.support.crm_paying import CrmHouse
from tests.support.office_files import pdf, pdf_of_pages

NOTHING = Facts(has_logo=False, has_address=False, agents=1, not_enrolled=None, hands_out=False, has_authorized=False)
ALL = Facts(has_logo=True, has_address=True, agents=2, not_enrolled=(), hands_out=True, has_authorized=True)


VISA = next(number for number, brand in PUBLISHED if brand == "Visa")


def _picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (32, 32), "#0f766e").save(out, "PNG")
    return out.getvalue()


def done(crm: CrmHouse) -> set[Step]:
    return {todo.step for todo in crm.deps.office.first_steps.todos(crm.ada) if todo.done}


def test_an_empty_agency_has_everything_before_it() -> None:
    assert [todo.step for todo in todos(NOTHING, ())] == list(Step)
    assert not any(todo.done for todo in todos(NOTHING, ()))


def test_a_person_says_only_what_nobody_else_can_know() -> None:
    assert {todo.step for todo in todos(ALL, ()) if not todo.done} == {Step.POLICIES, Step.TEMPLATES}
    assert all(todo.done for todo in todos(ALL, {"policies", "templates"}))


def test_what_was_done_is_found_by_itself(crm: CrmHouse) -> None:
    before = done(crm)
    assert {Step.PAYMENT, Step.HANDOUTS} & before == set()
    crm.authorized()
    crm.deps.office.handouts.change(crm.ada, community_url="https://talk.harbour.example", sheet=b"")
    assert done(crm) - before == {Step.PAYMENT, Step.HANDOUTS}


@pytest.mark.parametrize("page", ["/first-steps", "/handouts"])
def test_the_rail_says_that_these_pages_are_the_agencys(crm: CrmHouse, page: str) -> None:
    assert '<a href="/agency" aria-current="page">' in crm.browser(crm.ada).get(page).text


def test_who_is_not_enrolled_is_named(crm: CrmHouse) -> None:
    crm.vault.unknown_agents.add(crm.jonas.agent_id)
    page = crm.browser(crm.ada).get("/first-steps").text
    assert "Can&#39;t ask clients for cards yet: Jonas Weber." in page


def test_without_the_vault_the_other_steps_are_told(crm: CrmHouse) -> None:
    crm.vault.down = Unavailable("The vault can't be reached.")
    assert "it can&#39;t be said who is enrolled" in crm.browser(crm.ada).get("/first-steps").text


def test_a_tick_stays_and_what_is_found_by_itself_takes_none(crm: CrmHouse) -> None:
    steps = crm.deps.office.first_steps
    steps.tick(crm.ada, Step.POLICIES)
    steps.tick(crm.ada, Step.POLICIES)
    assert Step.POLICIES in done(crm)
    with pytest.raises(InvalidArgument):
        steps.tick(crm.ada, Step.PAYMENT)
    with pytest.raises(PermissionDenied):
        steps.tick(crm.maya, Step.POLICIES)


def test_the_dashboard_leads_an_admin_there_until_they_put_the_steps_away(crm: CrmHouse) -> None:
    ada, maya = crm.browser(crm.ada), crm.browser(crm.maya)
    assert "/first-steps" in ada.get("/").text
    assert "/first-steps" not in maya.get("/").text
    assert ada.post("/first-steps/tick", {"step": CLOSED}).status_code == 303
    assert "/first-steps" not in ada.get("/").text
    assert "Put the first steps away" not in ada.get("/first-steps").text


def test_agents_find_what_they_are_handed_in_training(crm: CrmHouse) -> None:
    ada, maya = crm.browser(crm.ada), crm.browser(crm.maya)
    assert "Quick Sheet" not in maya.get("/training").text
    ada.get("/handouts")
    sent = {"community_url": "talk.harbour.example/agents", "sheet": (io.BytesIO(pdf("Ten answers")), "Tips.pdf")}
    assert ada.post("/handouts", sent).status_code == 303
    page = maya.get("/training").text
    assert 'href="https://talk.harbour.example/agents"' in page
    sheet = maya.get("/handouts/quick-sheet.pdf")
    assert (sheet.status_code, sheet.data) == (200, pdf("Ten answers"))
    assert ada.post("/handouts/quick-sheet/remove").status_code == 303
    assert maya.get("/handouts/quick-sheet.pdf").status_code == 404
    assert "talk.harbour.example" in maya.get("/training").text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (pdf_of_pages(2), "has one page, and this file has 2"),
        (_picture(), "The Quick Sheet is a PDF"),
        (pdf(f"Card {VISA}"), "There seems to be a card number in this file"),
    ],
    ids=["two pages", "a picture", "a card number"],
)
def test_what_is_no_quick_sheet_is_refused_and_the_old_one_stays(crm: CrmHouse, content: bytes, words: str) -> None:
    crm.deps.office.handouts.change(crm.ada, community_url="", sheet=pdf("The old one"))
    ada = crm.browser(crm.ada)
    ada.get("/handouts")
    answer = ada.post("/handouts", {"community_url": "talk.example", "sheet": (io.BytesIO(content), "sheet.pdf")})
    assert answer.status_code == 422
    assert words in answer.text
    assert "talk.example" in answer.text
    assert crm.deps.office.handouts.sheet(crm.maya) == pdf("The old one")


def test_a_sheet_called_like_a_card_is_asked_for_again_by_its_field(crm: CrmHouse) -> None:
    ada = crm.browser(crm.ada)
    ada.get("/handouts")
    sheet = (io.BytesIO(pdf("Ten questions")), "4111-1111-1111-1111.pdf")
    answer = ada.post("/handouts", {"community_url": "talk.example", "sheet": sheet})
    assert answer.status_code == 422
    assert "looks like a card number" in answer.text.partition('id="sheet-error"')[2].partition("</p>")[0]
    assert "talk.example" in answer.text
    assert crm.deps.office.handouts.of(crm.ada) == Handouts()


def test_an_address_that_is_none_is_said_beside_the_field(crm: CrmHouse) -> None:
    ada = crm.browser(crm.ada)
    ada.get("/handouts")
    answer = ada.post("/handouts", {"community_url": "javascript:alert(1)"})
    assert (answer.status_code, "begins with https://" in answer.text) == (422, True)
    assert crm.deps.office.handouts.of(crm.ada) == Handouts()
    with pytest.raises(PermissionDenied):
        crm.deps.office.handouts.change(crm.maya, community_url="https://talk.example", sheet=b"")
    with pytest.raises(PermissionDenied):
        crm.deps.office.handouts.remove_sheet(crm.maya)
