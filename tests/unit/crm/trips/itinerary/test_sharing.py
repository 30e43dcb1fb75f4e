"""The itinerary with times, and the links that show it without an account (C5)."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from icalendar import Calendar

from chassis.errors import InvalidArgument, NotFound, PermissionDenied
from chassis.ids import token_sha256
from chassis.itinerary import Point
from protos.wayvault.events.v1.events_pb2 import BookingSaved, ItineraryShared, ItineraryUnshared
from services.crm.trips.bookings.service import SegmentDetail, SegmentKind
from services.crm.trips.itinerary.models import ItineraryShareRow
from services.crm.trips.itinerary.rules import Lifetime, Share, ShareRequest, expiry
from tests.support.crm_paying import CrmHouse

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def shared(crm: CrmHouse, *client_ids: str, key: str = "form-1", with_prices: bool = False) -> list[Share]:
    wanted = ShareRequest(request_key=key, client_ids=client_ids, lifetime=Lifetime.TRIP, with_prices=with_prices)
    return crm.deps.trips.shares.share(crm.maya, crm.booking_id, wanted)


def flown(crm: CrmHouse) -> SegmentDetail:
    """The segment as a flight with times and zones."""
    segment = crm.booking.segment(crm.segment_id)
    assert segment is not None
    data = replace(
        segment.data,
        kind=SegmentKind.FLIGHT,
        begins_on=date(2027, 6, 4),
        ends_on=date(2027, 6, 5),
        number="NL 612",
        notes="Check in online the day before.",
        starts=Point(place="Boston", terminal="E", at=time(20, 35), zone="America/New_York"),
        ends=Point(place="Bergen", at=time(10, 15), zone="Europe/Oslo"),
    )
    return crm.deps.trips.bookings.change_segment(
        crm.maya, crm.booking_id, crm.segment_id, data, version=crm.booking.version
    )


def test_times_places_and_notes_are_kept_told_and_shown(crm: CrmHouse) -> None:
    kept = flown(crm).data
    assert (kept.number, kept.starts.terminal, kept.ends.zone) == ("NL 612", "E", "Europe/Oslo")
    told = crm.events(BookingSaved)[-1].segments[0]
    assert (told.starts.at, told.ends.place, told.notes) == ("20:35", "Bergen", "Check in online the day before.")
    page = crm.browser(crm.maya).get(f"/bookings/{crm.booking_id}/itinerary").text
    assert (
        "Boston, terminal E 8:35\u00a0PM\u00a0EDT → Bergen 10:15\u00a0AM\u00a0CEST, Sat 5 Jun 2027 (7 h 40 min)" in page
    )
    assert "Check in online the day before." in page


def test_a_flights_calendar_entry_is_from_moment_to_moment(crm: CrmHouse) -> None:
    flown(crm)
    answer = crm.browser(crm.maya).get(f"/bookings/{crm.booking_id}/itinerary/trip.ics")
    events = Calendar.from_ical(answer.data).walk("VEVENT")
    (flight,) = [event for event in events if str(event["UID"]) == f"{crm.segment_id}@wayvault"]
    assert flight.decoded("DTSTART") == datetime(2027, 6, 5, 0, 35, tzinfo=UTC)
    assert flight.decoded("DTEND") == datetime(2027, 6, 5, 8, 15, tzinfo=UTC)
    assert str(flight["LOCATION"]) == "Boston, terminal E"


def test_the_form_reads_times_and_zones_as_people_write_them_and_keeps_what_it_cannot_read(crm: CrmHouse) -> None:
    browser, path = crm.browser(crm.maya), f"/bookings/{crm.booking_id}/segments/{crm.segment_id}"
    form = {
        "version": str(crm.booking.version),
        "supplier_name": "Nordlys",
        "kind": "flight",
        "begins_on": "2027-06-04",
    }
    answer = browser.post(path, data={**form, "starts_time": "sometime", "starts_zone": "Atlantis"})
    assert answer.status_code == 422
    assert 'value="sometime"' in answer.text
    assert 'value="Atlantis"' in answer.text
    good = {**form, "starts_time": "8:35 pm", "starts_zone": "new york", "starts_place": "Boston"}
    assert browser.post(path, data=good).status_code == 303
    segment = crm.booking.segment(crm.segment_id)
    assert segment is not None
    assert segment.data.starts == Point(place="Boston", at=time(20, 35), zone="America/New_York")


def test_an_arrival_before_the_departure_is_refused(crm: CrmHouse) -> None:
    data = replace(flown(crm).data, ends_on=date(2027, 6, 4))
    with pytest.raises(InvalidArgument, match="ends before it begins"):
        crm.deps.trips.bookings.change_segment(
            crm.maya, crm.booking_id, crm.segment_id, data, version=crm.booking.version
        )


def test_a_link_is_mailed_to_each_and_its_token_kept_nowhere(crm: CrmHouse) -> None:
    made = shared(crm, crm.grace_id, with_prices=True)
    found = re.fullmatch(r".*/itinerary/(itin_\w+)#(\S{43})", made[0].fresh_url)
    assert found is not None
    (event,) = crm.events(ItineraryShared)
    assert (event.share_id, event.token_sha256) == (made[0].id, token_sha256(found[2]))
    assert (event.with_prices, event.client.email) == (True, "grace@client.example")
    assert event.sealed_mail
    with crm.deps.core.database.read() as session:
        row = session.get_one(ItineraryShareRow, made[0].id)
        assert found[2] not in "".join(str(value) for value in vars(row).values())


def test_without_a_tick_one_link_is_made_to_pass_on_and_no_mail_goes(crm: CrmHouse) -> None:
    (made,) = shared(crm)
    (event,) = crm.events(ItineraryShared)
    assert made.fresh_url
    assert (event.sealed_mail, event.client.id) == ("", "")


def test_the_form_sent_twice_makes_one_link_and_does_not_show_it_again(crm: CrmHouse) -> None:
    first, again = shared(crm, crm.grace_id), shared(crm, crm.grace_id)
    assert [one.id for one in first] == [one.id for one in again]
    assert again[0].fresh_url == ""
    assert len(crm.events(ItineraryShared)) == 1


def test_only_its_own_agent_shares_and_revokes_and_revoking_is_told_once(crm: CrmHouse) -> None:
    (made,) = shared(crm)
    with pytest.raises(NotFound):
        crm.deps.trips.shares.revoke(crm.jonas, made.id)
    with pytest.raises(PermissionDenied):
        crm.deps.trips.shares.revoke(crm.ada, made.id)
    for _ in range(2):
        assert crm.deps.trips.shares.revoke(crm.maya, made.id).revoked_at is not None
    assert [event.share_id for event in crm.events(ItineraryUnshared)] == [made.id]
    with pytest.raises(InvalidArgument, match="passengers of this booking"):
        shared(crm, "cli_stranger", key="form-2")


def test_the_page_shows_the_link_once_and_lists_it_without_its_token(crm: CrmHouse) -> None:
    browser, path = crm.browser(crm.maya), f"/bookings/{crm.booking_id}/itinerary"
    browser.get(f"{path}/share")
    page = browser.post(f"{path}/share", data={"request_key": "k", "passengers": crm.grace_id, "lifetime": "trip"}).text
    found = re.search(r"/itinerary/itin_\w+#(\S{43})", page)
    assert found is not None
    assert "Shown once." in page
    listed = browser.get(path).text
    assert "Grace Hopper" in listed
    assert found[1] not in listed
    assert browser.post(f"{path}/share", data={"request_key": "l", "lifetime": "never"}).status_code == 422


def test_prices_stand_on_it_only_when_they_are_wished_for(crm: CrmHouse) -> None:
    browser, path = crm.browser(crm.maya), f"/bookings/{crm.booking_id}/itinerary"
    assert "4,000" not in browser.get(path).text
    assert "US$\u00a04,000.00" in browser.get(f"{path}?prices=1").text


def test_a_link_lives_till_a_week_after_the_trip_at_least_a_month_and_never_for_ever() -> None:
    assert expiry(Lifetime.WEEK, now=NOW, ends_on=None) == NOW + timedelta(days=7)
    assert expiry(Lifetime.TRIP, now=NOW, ends_on=None) == NOW + timedelta(days=30)
    assert expiry(Lifetime.TRIP, now=NOW, ends_on=date(2026, 11, 22)) == NOW + timedelta(days=30)
    assert expiry(Lifetime.TRIP, now=NOW, ends_on=date(2027, 6, 12)).date() == date(2027, 6, 19)
    assert expiry(Lifetime.TRIP, now=NOW, ends_on=date(2100, 1, 1)) == NOW + timedelta(days=400)
