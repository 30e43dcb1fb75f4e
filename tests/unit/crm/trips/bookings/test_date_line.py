"""What crosses the date line arrives the calendar day before it left (case 09-date-line)."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from chassis.web.formatting import day_range
from services.crm.trips.bookings.rules import SegmentData, SegmentKind, segment_errors
from tests.support.crm_site import Browser, CrmSite


@pytest.fixture
def site(tmp_path: Path) -> Iterator[CrmSite]:
    site = CrmSite(tmp_path)
    yield site
    site.deps.core.database.dispose()


@pytest.fixture
def maya(site: CrmSite) -> Browser:
    return site.signed_in(site.maya)


def _add(site: CrmSite, maya: Browser, supplier: str, kind: str, days: tuple[str, str]) -> int:
    begins_on, ends_on = days
    version = site.deps.trips.bookings.get(site.maya, site.booking.id).version
    maya.get(f"/bookings/{site.booking.id}/segments/new")
    typed = {"supplier_name": supplier, "kind": kind, "begins_on": begins_on, "ends_on": ends_on, "version": version}
    return maya.post(f"/bookings/{site.booking.id}/segments/new", typed).status_code


@pytest.mark.parametrize("kind", ["flight", "cruise"])
def test_it_is_saved_and_shows_both_days_everywhere(site: CrmSite, maya: Browser, kind: str) -> None:
    assert _add(site, maya, "Air Pacific AKL-HNL", kind, ("2027-01-02", "2027-01-01")) == 303
    assert _add(site, maya, "Hotel Oahu", "hotel", ("2027-01-01", "2027-01-05")) == 303
    booking = site.deps.trips.bookings.get(site.maya, site.booking.id)
    suppliers = [part.data.supplier_name for part in booking.segments]
    assert suppliers.index("Air Pacific AKL-HNL") < suppliers.index("Hotel Oahu")
    assert booking.begins_on is not None
    assert booking.ends_on is not None
    assert booking.begins_on <= booking.ends_on
    for path in ("", "/itinerary"):
        page = maya.get(f"/bookings/{site.booking.id}{path}").text
        assert "Sat 2 Jan 2027 – Fri 1 Jan 2027, across the date line" in page
    assert maya.get(f"/bookings/{site.booking.id}/itinerary/trip.pdf").data.startswith(b"%PDF-")
    file = maya.get(f"/bookings/{site.booking.id}/itinerary/trip.ics").text.replace("\r\n ", "")
    (flight,) = [entry for entry in file.split("BEGIN:VEVENT") if "Air Pacific" in entry]
    assert "DTSTART;VALUE=DATE:20270101\r\n" in flight
    assert "DTEND;VALUE=DATE:20270103\r\n" in flight
    assert "Leaves on Sat 2 Jan 2027 and arrives on Fri 1 Jan 2027" in flight


@pytest.mark.parametrize(
    ("kind", "ends_on"),
    [("hotel", "2027-01-01"), ("tour", "2027-01-01"), ("flight", "2026-12-31"), ("cruise", "2026-12-01")],
)
def test_what_can_not_be_stays_refused(site: CrmSite, maya: Browser, kind: str, ends_on: str) -> None:
    assert _add(site, maya, "Harbour View", kind, ("2027-01-02", ends_on)) == 422
    assert maya.page is not None
    assert "The end is before the beginning." in maya.page.text


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("0027-01-02", "Check the year: 0027"),
        ("2227-01-02", "Check the year: 2227"),
        ("27-01-02", "four digits"),
        ("2027-02-29", "February 2027 has no day 29"),
    ],
)
def test_a_year_out_of_bounds_is_asked_about(site: CrmSite, maya: Browser, typed: str, words: str) -> None:
    assert _add(site, maya, "Harbour View", "hotel", (typed, "")) == 422
    assert maya.page is not None
    assert words in maya.page.text


def test_ranges_of_other_days_read_as_before() -> None:
    assert day_range(date(2027, 1, 1), date(2027, 1, 2)) == "Fri 1 Jan – Sat 2 Jan 2027"
    data = SegmentData(supplier_name="A", kind=SegmentKind.FLIGHT, begins_on=date(2027, 1, 1), ends_on=date(2027, 1, 1))
    assert segment_errors(data) == {}
