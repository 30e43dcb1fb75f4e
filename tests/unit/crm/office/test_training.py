"""The guides: each whole, each found, each with its pictures (C12)."""

from pathlib import Path

import pytest
from PIL import Image

from services.crm.office.training.rules import Guide, search
from services.crm.office.training.service import PICTURES, Guides
from tests.support.crm_site import CrmSite, text_of

GUIDES = Guides().all()
# A picture is worth its bytes only while a page with six of them opens at once.
_MOST_BYTES = 60 * 1024
_MOST_OF_ALL = 1024 * 1024
# Rooms that agents of other CRMs look for first.
_PICTURED = {
    "recorded-payments", "dispute", "suppliers", "itinerary", "import", "public-page", "calendar", "lists", "links",
    "everything-at-once",
}  # fmt: skip


def test_there_is_a_guide_for_every_everyday_task() -> None:
    tasks = {
        "payment-link", "retrieve-card", "cvv", "void", "cvv-only", "second-reveal", "booking", "merge", "quotes",
        "documents", "esign", "final-reminders", "reports", "portal-invitation", "insurance",
    }  # fmt: skip
    assert tasks <= {guide.slug for guide in GUIDES}


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.slug)
def test_a_guides_pictures_are_there_small_and_described(guide: Guide) -> None:
    for step in guide.steps:
        if step.picture:
            path = PICTURES / step.picture
            assert path.is_file(), f"{guide.slug} names {step.picture}: run `make guide-pictures`"
            assert path.stat().st_size <= _MOST_BYTES
            assert step.shows, f"{guide.slug}: {step.picture} says nothing to who can't see it"
            with Image.open(path) as picture:
                assert picture.format == "WEBP"


def test_guides_of_the_rooms_that_newcomers_look_for_have_pictures_and_all_are_small() -> None:
    assert {guide.slug for guide in GUIDES if guide.pictures} >= _PICTURED
    assert sum(path.stat().st_size for path in PICTURES.glob("*.webp")) <= _MOST_OF_ALL


def test_no_picture_lies_about_that_no_guide_shows() -> None:
    named = {name for guide in GUIDES for name in guide.pictures}
    assert {path.name for path in PICTURES.glob("*.webp")} == named


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.slug)
def test_a_guide_leads_to_guides_and_pages_that_exist(guide: Guide, site_endpoints: set[str]) -> None:
    assert set(guide.related) <= {one.slug for one in GUIDES} - {guide.slug}
    assert not guide.begins_at or guide.begins_at in site_endpoints
    assert guide.steps
    assert guide.summary.endswith(".")


@pytest.fixture
def site_endpoints(site: CrmSite) -> set[str]:
    return set(site.app.view_functions)


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("void", "void"),
        ("show the card", "retrieve-card"),
        ("duplicate", "merge"),
        ("usern", "portal-invitation"),
        ("insur", "insurance"),
        ("signature", "esign"),
        ("security code", "cvv"),
    ],
)
def test_the_words_of_an_agent_find_her_guide(typed: str, first: str) -> None:
    found = [guide.slug for guide in search(GUIDES, typed)]
    assert first in found[:2], found


def test_every_word_must_be_answered_and_none_is_none() -> None:
    assert search(GUIDES, "void zeppelin") == []
    assert search(GUIDES, "  ") == list(GUIDES)


def test_the_list_answers_while_one_types(site: CrmSite) -> None:
    maya = site.signed_in(site.maya)
    whole = text_of(maya.get("/training"))
    assert "Retrieve a card and pay the supplier" in whole
    part = maya.get("/training?q=merge", headers={"HX-Request": "true"})
    assert "<html" not in part.text
    assert "Merge two profiles" in text_of(part)
    assert "Begin the day" not in text_of(part)
    assert "No guide says" in text_of(maya.get("/training?q=zeppelin"))


def test_admins_guides_are_for_admins(site: CrmSite) -> None:
    maya, ada = site.signed_in(site.maya), site.signed_in(site.ada)
    assert maya.get("/training/audit").status_code == 404
    assert "Read the audit trail" not in text_of(maya.get("/training"))
    assert ada.get("/training/audit").status_code == 200
    assert maya.get("/training/no-such-guide").status_code == 404


def test_a_guides_text_is_escaped_but_for_its_bold_words(site: CrmSite) -> None:
    page = site.signed_in(site.maya).get("/training/void").text
    assert "<strong>Void and destroy the card</strong>" in page
    assert "**" not in page


def test_pictures_lie_in_the_rooms_own_folder() -> None:
    assert Path("services/crm/office/training/static").resolve() == PICTURES.resolve()
