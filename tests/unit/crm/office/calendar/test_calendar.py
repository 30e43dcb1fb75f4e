"""The calendar: what happens on which day, whose it is, and where it leads."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from chassis.errors import NotFound
from services.crm.core.days import DayKind, DayLine, Lines
from services.crm.office.calendar.rules import Day, days_of, month_asked, next_month, previous_month, weeks_of
from services.crm.office.calendar.service import SHOWN
from services.crm.sales.clients.rules import FamilyMember, Occasion, OccasionKind, Relation
from services.crm.sales.clients.service import ClientData
from services.crm.trips.bookings.service import BookingData, BookingStatus, SegmentData, SegmentKind
from tests.support.crm_paying import CrmHouse, usd

MONTH = date(2026, 12, 1)
_days = st.dates(min_value=date(2001, 1, 1), max_value=date(2099, 12, 31))


@given(day=_days)
def test_a_months_weeks_begin_on_a_monday_hold_all_its_days_and_months_follow_each_other(day: date) -> None:
    month = day.replace(day=1)
    first, last = weeks_of(month)
    assert (first.weekday(), last.weekday()) == (0, 6)
    assert first <= month <= day < next_month(month) <= last + timedelta(days=1)
    assert (last - first).days < 42
    assert previous_month(next_month(month)) == month == month_asked(f"{month:%Y-%m}", day)


@given(text=st.text(max_size=9), today=_days)
def test_whatever_an_address_says_is_some_month(text: str, today: date) -> None:
    assert month_asked(text, today).day == 1


@given(
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from(DayKind), st.integers(1, 9)), max_size=20), st.integers(1, 6)
)
def test_no_line_is_lost_between_what_is_shown_and_what_is_counted(
    asked: list[tuple[int, DayKind, int]], most: int
) -> None:
    parts = []
    for day, kind, times in asked:
        on = MONTH + timedelta(days=day)
        line = DayLine(on=on, kind=kind, thing_id="x", title="x", detail="", agent_id="x")
        parts.append(Lines(lines=[line] * min(times, most), counts={on: times}))
    for found in days_of(MONTH, MONTH + timedelta(days=2), parts, most):
        wanted = sum(times for day, _, times in asked if MONTH + timedelta(days=day) == found.on)
        assert len(found.lines) <= most
        assert len(found.lines) + found.more == wanted


def _kinds(days: list[Day]) -> dict[DayKind, date]:
    return {line.kind: line.on for day in days for line in day.lines}


def _furnished(crm: CrmHouse) -> str:
    """One of everything in December 2026, Maya's. Returns the trip's id."""
    deps, maya = crm.deps, crm.maya
    wanted = BookingData(title="Lofoten", status=BookingStatus.BOOKED, currency="USD", passenger_ids=(crm.grace_id,))
    trip = deps.trips.bookings.create(maya, wanted)
    hotel = SegmentData(
        supplier_name="Bryggen",
        kind=SegmentKind.HOTEL,
        begins_on=date(2026, 12, 7),
        ends_on=date(2026, 12, 15),
        price=usd(900_00),
        final=usd(900_00),
        final_due_on=date(2026, 12, 3),
    )
    deps.trips.bookings.add_segment(maya, trip.id, hotel, version=trip.version)
    deps.sales.tasks.add(maya, crm.alan_id, "Call about the cabin", date(2026, 12, 9))
    deps.sales.clients.create(maya, ClientData(first_name="Leap", last_name="Day", birthday=date(1988, 12, 24)))
    return trip.id


def test_a_month_has_departures_returns_dues_tasks_birthdays_and_lapses(crm: CrmHouse) -> None:
    trip_id, payment_id = _furnished(crm), crm.authorized()
    found = crm.deps.office.calendars.weeks(crm.maya, MONTH)
    kinds = _kinds(found)
    assert kinds[DayKind.DEPARTURE] == date(2026, 12, 7)
    assert kinds[DayKind.RETURN] == date(2026, 12, 15)
    assert kinds[DayKind.TASK] == date(2026, 12, 9)
    assert kinds[DayKind.BIRTHDAY] == date(2026, 12, 24)
    assert date(2026, 12, 3) in {line.on for day in found for line in day.lines if line.kind is DayKind.DUE}
    kept_until = crm.deps.paying.book.get(crm.maya, payment_id).card_kept_until
    assert kept_until is not None
    lapse = crm.deps.office.calendars.day(crm.maya, kept_until.date())
    assert [line.thing_id for line in lapse.lines if line.kind is DayKind.LAPSE] == [payment_id]
    page = crm.browser(crm.maya).get("/calendar?month=2026-12").text
    assert f'href="/bookings/{trip_id}"' in page
    assert "To do: " in page
    entries = Calendar.from_ical(crm.browser(crm.maya).get("/calendar/calendar.ics?month=2026-12").data).walk("VEVENT")
    assert {"Leaves: Lofoten", "Returns: Lofoten"} <= {str(entry["summary"]) for entry in entries}


def test_days_that_come_back_every_year_do_in_years_without_a_29_february(crm: CrmHouse) -> None:
    profiles = crm.deps.sales.profiles
    child = FamilyMember(first_name="Ida", last_name="Hopper", relation=Relation.CHILD, born_on=date(2012, 2, 29))
    profiles.save_member(crm.maya, crm.grace_id, child)
    wedding = Occasion(kind=OccasionKind.ANNIVERSARY, label="Wedding", first_on=date(2001, 3, 1))
    profiles.save_occasion(crm.maya, crm.grace_id, wedding)
    titles = [line.title for line in crm.deps.office.calendars.day(crm.maya, date(2027, 3, 1)).lines]
    assert titles == ["Birthday of Ida", "Wedding, Grace Hopper"]
    assert [line.title for line in crm.deps.office.calendars.day(crm.maya, date(2028, 2, 29)).lines] == titles[:1]


def test_an_agent_sees_their_own_days_and_an_admin_the_agencys_or_one_agents(crm: CrmHouse) -> None:
    _furnished(crm)
    calendars = crm.deps.office.calendars
    assert not _kinds(calendars.weeks(crm.jonas, MONTH))
    everybody = _kinds(calendars.weeks(crm.ada, MONTH))
    assert {DayKind.DEPARTURE, DayKind.TASK, DayKind.BIRTHDAY} <= set(everybody)
    assert _kinds(calendars.weeks(crm.ada, MONTH, crm.maya.agent_id)) == everybody
    assert not _kinds(calendars.weeks(crm.ada, MONTH, crm.jonas.agent_id))
    for stranger in (crm.maya.agent_id, "agent_nobody"):
        with pytest.raises(NotFound):
            calendars.weeks(crm.jonas, MONTH, stranger)
    assert crm.browser(crm.jonas).get(f"/calendar?agent={crm.maya.agent_id}").status_code == 404


def test_a_full_day_shows_a_few_and_leads_to_all_of_it(crm: CrmHouse) -> None:
    for number in range(7):
        crm.deps.sales.tasks.add(crm.maya, crm.alan_id, f"Call number {number}", date(2026, 12, 9))
    (day,) = [each for each in crm.deps.office.calendars.weeks(crm.maya, MONTH) if each.on == date(2026, 12, 9)]
    assert (len(day.lines), day.more) == (SHOWN, 7 - SHOWN)
    browser = crm.browser(crm.maya)
    assert "3 more" in browser.get("/calendar?month=2026-12").text
    assert browser.get("/calendar/day?on=2026-12-09").text.count("Call number") == 7
    for odd in ("2026-13", "0000-00", "9999-99", "²026-01", "2026-1", "%00"):
        assert browser.get(f"/calendar?month={odd}").status_code == 200
        assert browser.get(f"/calendar/day?on={odd}").status_code == 200
