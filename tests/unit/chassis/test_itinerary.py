"""A trip day by day."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis import itinerary
from chassis.itinerary import KIND_WORDS, Leg, Point, plan
from chassis.typed.times import TimeError, read_time, time_from
from chassis.typed.zones import ZoneError, read_zone

_FLIGHT = Leg(
    id="seg_1",
    kind="flight",
    supplier="Nordlys Airways",
    number="NL 612",
    begins_on=date(2027, 6, 4),
    ends_on=date(2027, 6, 5),
    starts=Point(place="Boston", terminal="E", at=time(20, 35), zone="America/New_York"),
    ends=Point(place="Bergen", at=time(10, 15), zone="Europe/Oslo"),
)
_HOTEL = Leg(
    id="seg_2",
    kind="hotel",
    supplier="Hotel Bryggen",
    confirmation="HB-20",
    begins_on=date(2027, 6, 5),
    ends_on=date(2027, 6, 8),
    starts=Point(place="Bryggen 5, Bergen", at=time(15, 0)),
    ends=Point(at=time(11, 0)),
)
_CRUISE = Leg(
    id="seg_3",
    kind="cruise",
    supplier="Aurora Cruises",
    begins_on=date(2027, 6, 8),
    ends_on=date(2027, 6, 12),
    starts=Point(place="Bergen", at=time(16, 0)),
    ends=Point(place="Tromsø"),
)


def test_each_day_says_what_happens_when_where_and_where_the_night_is() -> None:
    made = plan([_FLIGHT, _HOTEL, _CRUISE])
    assert [(day.label, day.words) for day in made.days] == [
        ("Day 1", "Fri 4 Jun 2027"),
        ("Day 2", "Sat 5 Jun 2027"),
        ("Days 3–4", "Sun 6 Jun 2027 – Mon 7 Jun 2027"),
        ("Day 5", "Tue 8 Jun 2027"),
        ("Days 6–8", "Wed 9 Jun 2027 – Fri 11 Jun 2027"),
        ("Day 9", "Sat 12 Jun 2027"),
    ]
    fly, arrive, check_in, *_ = (each for day in made.days for each in day.happenings)
    assert (arrive.title, arrive.lines) == ("Arrive in Bergen", ("10:15 AM CEST",))
    assert fly.title == "Fly with Nordlys Airways NL 612"
    assert fly.lines == ("Boston, terminal E 8:35 PM EDT → Bergen 10:15 AM CEST, Sat 5 Jun 2027 (7 h 40 min)",)
    assert (check_in.title, check_in.lines) == ("Check in at Hotel Bryggen", ("3:00 PM · Bryggen 5, Bergen",))
    assert [each.title for each in made.days[3].happenings] == ["Check out of Hotel Bryggen", "Board Aurora Cruises"]
    assert made.days[2].tonight == ("Overnight at Hotel Bryggen",)
    assert made.route == ("Boston", "Bergen", "Tromsø")


def test_insurance_runs_along_and_what_has_no_day_comes_last() -> None:
    cover = Leg(id="i", kind="insurance", supplier="Voyager Care", begins_on=date(2027, 6, 1))
    tour = Leg(id="t", kind="tour", supplier="Fjord Walks")
    made = plan([cover, tour])
    assert (made.days, made.along, made.undated) == ((), (cover,), (tour,))
    assert not made.is_empty
    assert plan([]).is_empty


def test_without_zones_nothing_is_reckoned() -> None:
    bare = Leg(**{**{name: getattr(_FLIGHT, name) for name in Leg.__slots__}, "ends": Point(at=time(10, 15))})
    assert (bare.lasts, bare.moments) == ("", None)
    assert _FLIGHT.moments is not None
    assert _FLIGHT.moments[0].astimezone(UTC) == datetime(2027, 6, 5, 0, 35, tzinfo=UTC)


def _journey(left: str, arrived: str, zones: str) -> Leg:
    """ "2027-03-13 23:30", "2027-03-14 06:00", "America/Los_Angeles" or two zones."""
    (left_on, left_at), (arrived_on, arrived_at) = (moment.split() for moment in (left, arrived))
    begins, *ends = zones.split()
    return Leg(
        id="seg_9",
        kind="flight",
        supplier="Nordlys Airways",
        begins_on=date.fromisoformat(left_on),
        ends_on=date.fromisoformat(arrived_on),
        starts=Point(at=time.fromisoformat(left_at), zone=begins),
        ends=Point(at=time.fromisoformat(arrived_at), zone=ends[0] if ends else begins),
    )


@pytest.mark.parametrize(
    ("left", "arrived", "zones", "lasts"),
    [
        # Overnight while the clocks of the one zone go forward, or back.
        ("2027-03-13 23:30", "2027-03-14 06:00", "America/Los_Angeles", "5 h 30 min"),
        ("2027-11-06 23:30", "2027-11-07 06:00", "America/Los_Angeles", "7 h 30 min"),
        ("2027-04-03 23:00", "2027-04-04 07:00", "Australia/Lord_Howe", "8 h 30 min"),
        # Within the hour that is there twice: it must have arrived in the second.
        ("2027-11-07 01:50", "2027-11-07 01:10", "America/New_York", "20 min"),
        # A time that is skipped is the hour behind it (RFC 5545, 3.3.5).
        ("2027-03-14 02:30", "2027-03-14 05:00", "America/New_York", "1 h 30 min"),
        ("2027-03-28 02:30", "2027-03-28 03:10", "Europe/Berlin", ""),
        # Over the date line, both ways, and from one end of the clock to the other.
        ("2027-01-02 00:30", "2027-01-01 09:30", "Pacific/Auckland Pacific/Honolulu", "8 h"),
        ("2027-01-01 22:00", "2027-01-03 05:00", "Pacific/Honolulu Pacific/Auckland", "8 h"),
        ("2027-05-01 10:00", "2027-05-02 23:00", "Etc/GMT+12 Pacific/Kiritimati", "11 h"),
        ("2027-05-01 10:00", "2027-05-01 09:00", "Asia/Kathmandu Asia/Kolkata", ""),
        ("2027-05-01 10:00", "2027-05-01 11:00", "Asia/Kathmandu Asia/Kolkata", "1 h 15 min"),
        # A day that a country left out.
        ("2011-12-29 23:30", "2011-12-31 01:00", "Pacific/Apia", "1 h 30 min"),
    ],
)
def test_a_journey_lasts_as_long_as_it_did_whatever_the_clocks_do(
    left: str, arrived: str, zones: str, lasts: str
) -> None:
    leg = _journey(left, arrived, zones)
    assert leg.lasts == lasts
    assert leg.moments is None or leg.moments[0] < leg.moments[1]


@given(
    st.integers(0, 3 * 365 * 24 * 60),
    st.integers(1, 30 * 60),
    st.sampled_from(["America/New_York", "Europe/London", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Tokyo"]),
    st.sampled_from(["America/New_York", "Europe/Dublin", "Pacific/Chatham", "Pacific/Apia", "Asia/Kathmandu"]),
)
def test_any_journey_ends_after_it_began(left: int, minutes: int, begins: str, ends: str) -> None:
    """As its days and times are written down in the two places, but for the hour that is there twice."""
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=left)
    here, there = moment.astimezone(ZoneInfo(begins)), (moment + timedelta(minutes=minutes)).astimezone(ZoneInfo(ends))
    leg = _journey(f"{here:%Y-%m-%d %H:%M}", f"{there:%Y-%m-%d %H:%M}", f"{begins} {ends}")
    if here.fold == there.fold == 0:
        assert leg.moments is not None
        assert leg.moments[0] == moment
        assert leg.moments[1] - leg.moments[0] == timedelta(minutes=minutes)
    assert leg.moments is None or leg.moments[0] < leg.moments[1]


def test_a_zone_without_letters_is_written_with_a_colon() -> None:
    clocks = [Point(at=time(10), zone=zone).clock(date(2027, 5, 1)) for zone in ("Asia/Kathmandu", "Pacific/Apia")]
    assert clocks == ["10:00 AM UTC+05:45", "10:00 AM UTC+13"]


_days = st.dates(date(2026, 1, 1), date(2026, 3, 1))
_legs = st.builds(
    lambda kind, begins, nights, at: Leg(
        id="x",
        kind=kind,
        supplier="Somebody",
        begins_on=begins,
        ends_on=begins + timedelta(days=nights),
        starts=Point(at=at),
    ),
    st.sampled_from(sorted(KIND_WORDS)),
    _days,
    st.integers(0, 20),
    st.none() | st.times(),
)


@given(st.lists(_legs, max_size=6))
def test_days_follow_one_another_without_gap_and_tell_each_part_once(legs: list[Leg]) -> None:
    made = plan(legs)
    for one, next_one in zip(made.days, made.days[1:], strict=False):
        assert next_one.on == one.until + timedelta(days=1)
        assert next_one.number == one.number + (one.until - one.on).days + 1
    told = [each for day in made.days for each in day.happenings if each.told]
    assert len(told) + len(made.along) + len(made.undated) == len(legs)


_points = st.builds(
    Point,
    place=st.text(max_size=20),
    terminal=st.text(max_size=5),
    at=st.none() | st.builds(time, st.integers(0, 23), st.integers(0, 59)),
    zone=st.sampled_from(["", "Europe/Oslo"]),
)


@given(st.text(max_size=10), st.text(max_size=10), _points, _points)
def test_what_is_packed_is_unpacked(number: str, notes: str, starts: Point, ends: Point) -> None:
    assert itinerary.unpack(itinerary.pack(number, notes, starts, ends)) == (number, notes, starts, ends)
    assert itinerary.unpack(None) == ("", "", Point(), Point())


@pytest.mark.parametrize(
    "typed", ["19:55", "7:55 PM", "7:55pm", "7.55 p.m.", "7:55p", "19.55 Uhr", "1955", "19h55", "19.55", "١٩:٥٥"]
)
def test_a_time_is_read_as_it_is_written(typed: str) -> None:
    assert read_time(typed) == time(19, 55)
    assert read_time("12 am") == time(0, 0)


@pytest.mark.parametrize("typed", ["7", "25:00", "7:75", "13 pm", "soon", "0 am"])
def test_what_is_no_time_or_two_is_refused_in_words(typed: str) -> None:
    with pytest.raises(TimeError, match="such as 7:55 PM"):
        read_time(typed)


def test_a_times_own_text_is_read_and_nothing_else() -> None:
    assert time_from("19:55") == time(19, 55)
    assert [time_from(text) for text in ("", "25:00", "7:55", "19:55:00")] == [None] * 4


def test_a_zone_is_known_by_its_city() -> None:
    assert [read_zone(text) for text in ("oslo", "Europe/Oslo", "new york", "São Paulo")] == [
        "Europe/Oslo",
        "Europe/Oslo",
        "America/New_York",
        "America/Sao_Paulo",
    ]
    with pytest.raises(ZoneError, match="large city"):
        read_zone("Atlantis")
