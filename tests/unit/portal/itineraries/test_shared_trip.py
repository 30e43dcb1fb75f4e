"""A trip by a link without an account (C5)."""

from datetime import timedelta

import pytest
from icalendar import Calendar
from werkzeug.test import TestResponse

from chassis.ids import token_sha256
from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import DocumentShared, ItineraryShared, ItineraryUnshared, Point
from tests.support.portal import TOKEN, PortalWorld
from tests.support.portal_people import AGENCY, MAYA, tell
from tests.support.portal_trips import booking_saved, cruise

HERE = "/itinerary/itin_1"


def share(world: PortalWorld, *, with_prices: bool = False) -> None:
    """The trip, a document for everyone and one for Alan alone, and a link for thirty days."""
    at = stamp(world.clock.now())
    flight = cruise(
        "seg_0",
        kind="flight",
        supplier_name="Nordlys Airways",
        number="NL 612",
        begins_on="2027-06-04",
        ends_on="2027-06-05",
        starts=Point(place="Boston", terminal="E", at="20:35", zone="America/New_York"),
        ends=Point(place="Bergen", at="10:15", zone="Europe/Oslo"),
    )
    tell(
        world,
        booking_saved(segments=(flight, cruise())),
        DocumentShared(document_id="d1", booking_id="bkg_1", title="Boarding passes", for_everyone=True, shared_at=at),
        DocumentShared(document_id="d2", booking_id="bkg_1", title="For Alan", client_ids=["cli_alan"], shared_at=at),
        ItineraryShared(
            share_id="itin_1",
            booking_id="bkg_1",
            token_sha256=token_sha256(TOKEN),
            expires_at=stamp(world.clock.now() + timedelta(days=30)),
            with_prices=with_prices,
            agent=MAYA,
            agency=AGENCY,
        ),
    )


def opened(world: PortalWorld, token: str = TOKEN) -> TestResponse:
    browser = world.client()
    answer = browser.post(f"{HERE}/open", data={"token": token})
    return browser.get(f"{HERE}/trip") if answer.status_code == 303 else answer


def test_the_token_opens_the_trip_and_nothing_else(world: PortalWorld) -> None:
    share(world)
    page = opened(world).text
    for words in ("Norwegian fjords for two", "Fly with Nordlys Airways NL 612", "Boarding passes", "Day 1"):
        assert words in page
    assert "For Alan" not in page
    assert "4,000" not in page
    assert "/pay" not in page
    wrong = opened(world, "x" * 43)
    assert (wrong.status_code, "Norwegian fjords" in wrong.text) == (403, False)
    assert world.client().get(f"{HERE}/trip").status_code == 303


def test_prices_stand_there_when_the_agent_wished_it(world: PortalWorld) -> None:
    share(world, with_prices=True)
    assert "US$\u00a04,000.00" in opened(world).text


@pytest.mark.parametrize("path", ["", "/trip", "/trip.pdf", "/trip.ics"])
def test_no_page_is_found_by_search_or_tells_its_address(world: PortalWorld, path: str) -> None:
    share(world)
    browser = world.client()
    browser.post(f"{HERE}/open", data={"token": TOKEN})
    headers = browser.get(f"{HERE}{path}").headers
    assert headers["X-Robots-Tag"] == "noindex, nofollow"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in headers["Cache-Control"]


def test_revoked_or_expired_it_shows_nothing_of_the_trip_to_whoever_had_it_open(world: PortalWorld) -> None:
    share(world)
    browser = world.client()
    browser.post(f"{HERE}/open", data={"token": TOKEN})
    assert browser.get(f"{HERE}/trip").status_code == 200
    tell(world, ItineraryUnshared(share_id="itin_1"))
    for path in ("", "/trip", "/trip.pdf", "/trip.ics"):
        answer = browser.get(f"{HERE}{path}")
        assert (answer.status_code, b"Norwegian fjords" in answer.data) == (410, False)
    assert browser.post(f"{HERE}/open", data={"token": TOKEN}).status_code == 410


def test_it_ends_on_its_day(world: PortalWorld) -> None:
    share(world)
    world.clock.advance(timedelta(days=31))
    answer = world.client().get(HERE)
    assert (answer.status_code, "has expired" in answer.text) == (410, True)


def test_the_calendar_has_the_trips_days_and_nothing_of_what_is_due(world: PortalWorld) -> None:
    share(world)
    browser = world.client()
    browser.post(f"{HERE}/open", data={"token": TOKEN})
    uids = {str(event["UID"]) for event in Calendar.from_ical(browser.get(f"{HERE}/trip.ics").data).walk("VEVENT")}
    assert uids == {"seg_0@wayvault", "seg_1@wayvault"}
    assert browser.get(f"{HERE}/trip.pdf").data.startswith(b"%PDF-")


def test_a_part_that_was_removed_leaves_the_calendar_too(world: PortalWorld) -> None:
    share(world)
    browser = world.client()
    browser.post(f"{HERE}/open", data={"token": TOKEN})
    first = Calendar.from_ical(browser.get(f"{HERE}/trip.ics").data).walk("VEVENT")
    tell(world, booking_saved(version=9, segments=()))
    gone = Calendar.from_ical(browser.get(f"{HERE}/trip.ics").data).walk("VEVENT")
    assert {str(event["UID"]) for event in gone} == {str(event["UID"]) for event in first}
    assert {(str(event["STATUS"]), event["SEQUENCE"]) for event in gone} == {("CANCELLED", 9)}


def test_an_unknown_link_says_no_more_than_that(world: PortalWorld) -> None:
    assert world.client().get("/itinerary/itin_none").status_code == 404
    assert world.client().post("/itinerary/itin_none/open", data={"token": TOKEN}).status_code == 404
