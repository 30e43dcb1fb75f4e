"""The portal wears the agency's name, colour and logo as they are today (C13)."""

from protos.wayvault.events.v1.events_pb2 import Agency, AgencySaved
from tests.support.portal import LINK, PortalWorld

_PNG = b"\x89PNG\r\n\x1a\n a small picture"
_SHA = "5f" * 32


def _told(world: PortalWorld, *, logo: bytes = _PNG, name: str = "Harbour & Vine", accent: str = "#aa3300") -> None:
    agency = Agency(id="agy_1", name=name, accent_colour=accent)
    world.tell(AgencySaved(agency=agency, logo=logo, logo_sha256=_SHA if logo else ""))


def test_a_link_that_was_sent_before_shows_todays_name_colour_and_logo(world: PortalWorld) -> None:
    world.issue()
    _told(world)
    page = world.client().get(f"/pay/{LINK}").get_data(as_text=True)
    assert f'src="/agency/agy_1/{_SHA}.png"' in page
    assert "Harbour &amp; Vine<" in page
    assert "aa3300" in page


def test_the_logo_is_for_everybody_and_may_be_kept_by_browsers(world: PortalWorld) -> None:
    _told(world)
    answer = world.client().get(f"/agency/agy_1/{_SHA}.png")
    assert (answer.status_code, answer.data, answer.mimetype) == (200, _PNG, "image/png")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'"


def test_a_logo_that_was_taken_away_is_gone_and_initials_stand_in_its_place(world: PortalWorld) -> None:
    world.issue()
    _told(world)
    _told(world, logo=b"")
    assert world.client().get(f"/agency/agy_1/{_SHA}.png").status_code == 404
    assert "wv-brand-logo" in (page := world.client().get(f"/pay/{LINK}").get_data(as_text=True))
    assert "<img" not in page


def test_before_the_crm_has_told_the_links_own_snapshot_is_shown(world: PortalWorld) -> None:
    world.issue()
    page = world.client().get(f"/pay/{LINK}").get_data(as_text=True)
    assert "Harbour &amp; Vine Travel" in page


def test_a_colour_that_is_none_becomes_the_houses(world: PortalWorld) -> None:
    world.issue()
    _told(world, accent="red; }")
    assert world.client().get(f"/pay/{LINK}").status_code == 200
