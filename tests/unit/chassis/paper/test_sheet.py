"""The itinerary on paper."""

import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pypdf import PdfReader

from chassis.paper.itinerary import Itinerary, Stop, pdf
from chassis.paper.sheet import Letterhead, paper_format

_STOP = Stop(
    kind="Cruise",
    supplier="Aurora Cruises",
    dates="Sat 5 Jun – Sat 12 Jun 2027",
    text="Balcony cabin on deck 7",
    confirmation="AC-7781",
)
_TRIP = Itinerary(
    head=Letterhead(
        name="Harbour & Vine Travel", contact="+1 212 555 0100", accent="#ffcc00", time_zone="America/New_York"
    ),
    title="Norwegian fjords for two",
    dates="Sat 5 Jun – Sat 12 Jun 2027",
    travelers=("Grace Hopper", "王伟", "ليلى"),
    advisor="Maya Okafor",
    stops=(_STOP,),
    cancelled=False,
    changed_at=datetime(2026, 11, 21, tzinfo=UTC),
)


def text_of(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


def test_it_says_who_travels_where_and_whom_to_call() -> None:
    text = text_of(pdf(_TRIP))
    for words in (
        "Norwegian fjords for two",
        "Grace Hopper",
        "Aurora Cruises",
        "AC-7781",
        "Maya Okafor",
        "Page 1 of 1",
    ):
        assert words in text


def test_the_same_trip_gives_the_same_bytes() -> None:
    assert pdf(_TRIP) == pdf(_TRIP)


def test_a_long_trip_goes_on_over_pages_and_loses_nothing() -> None:
    stops = tuple(replace(_STOP, supplier=f"Supplier {number}") for number in range(20))
    content = pdf(replace(_TRIP, stops=stops, title="T" * 160))
    text = text_of(content)
    assert len(PdfReader(io.BytesIO(content)).pages) > 1
    assert [number for number in range(20) if f"Supplier {number}" not in text] == []


def test_a_cancelled_trip_and_one_without_parts_say_so() -> None:
    text = text_of(pdf(replace(_TRIP, cancelled=True, stops=())))
    assert "This trip was cancelled." in text
    assert "Nothing is booked yet." in text


@pytest.mark.parametrize(("zone", "wanted"), [("America/New_York", "Letter"), ("Europe/Berlin", "A4")])
def test_the_paper_is_the_one_that_printers_hold_there(zone: str, wanted: str) -> None:
    assert paper_format(zone) == wanted
