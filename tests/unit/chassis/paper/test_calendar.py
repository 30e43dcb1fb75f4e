"""Calendar files: what is written can be read again, by RFC 5545."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st
from icalendar import Calendar

from chassis.calendar import Entry, EntryStatus, write

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
texts = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=120)
days = st.dates(date(2000, 1, 1), date(2099, 1, 1))


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    begins_on = draw(days)
    return Entry(
        uid=f"seg_{draw(st.uuids())}@wayvault",
        sequence=draw(st.integers(0, 10_000)),
        begins_on=begins_on,
        ends_on=begins_on + timedelta(days=draw(st.integers(0, 60))),
        title=draw(texts),
        text=draw(texts.filter(lambda text: text == text.strip())),
        status=draw(st.sampled_from(EntryStatus)),
        busy=draw(st.booleans()),
    )


def _odd(title: str) -> Entry:
    uid = f"{len(title)}@wayvault"
    return Entry(uid=uid, sequence=1, begins_on=date(2027, 1, 1), ends_on=date(2027, 1, 1), title=title)


def shown(entry: Entry) -> str:
    return f"Cancelled: {entry.title}" if entry.status is EntryStatus.CANCELLED else entry.title


def texts_in(content: bytes, name: str) -> list[str]:
    """The values of a text property as RFC 5545 has them read: lines unfolded (3.1), then each backslash with what
    follows it (3.3.11). icalendar itself reads a text in several goes,
    and takes `\\\\N` for a line's end."""
    lines = content.decode().replace("\r\n ", "").split("\r\n")
    raw = [line.partition(":")[2] for line in lines if line.startswith(f"{name}:")]
    return [re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], value) for value in raw]


@example(name="", made=[_odd(r"\N and \n"), _odd("a;b,c\\")])
@given(name=texts, made=st.lists(entries(), max_size=4, unique_by=lambda entry: entry.uid))
def test_every_entry_is_read_back_as_it_was(name: str, made: list[Entry]) -> None:
    content = write(name, made, changed_at=NOW)
    in_order = sorted(made, key=lambda entry: (entry.begins_on, entry.uid))
    assert texts_in(content, "SUMMARY") == [shown(entry) for entry in in_order]
    assert texts_in(content, "DESCRIPTION") == [entry.text for entry in in_order if entry.text]
    read = {str(event["UID"]): event for event in Calendar.from_ical(content).walk("VEVENT")}
    assert set(read) == {entry.uid for entry in made}
    for entry in made:
        event = read[entry.uid]
        assert event.decoded("dtstart") == entry.begins_on
        assert event.decoded("dtend") == entry.ends_on + timedelta(days=1)
        assert event["SEQUENCE"] == entry.sequence
        assert event["STATUS"] == entry.status
        if "\\" not in entry.title:
            assert str(event["SUMMARY"]) == shown(entry)
        if "\\" not in entry.text:
            assert str(event.get("DESCRIPTION", "")) == entry.text


@given(title=st.text(max_size=60))
def test_no_text_breaks_out_of_its_line(title: str) -> None:
    entry = Entry(uid="a@wayvault", sequence=1, begins_on=date(2027, 1, 1), ends_on=date(2027, 1, 1), title=title)
    content = write("Trip", [entry], changed_at=NOW).decode()
    assert content.count("BEGIN:VEVENT") - title.count("BEGIN:VEVENT") == 1
    assert all(len(line.encode()) <= 75 for line in content.split("\r\n"))


@given(
    st.text('aé漢😀\u200d\u0301 ,;:\\"\n', max_size=150),
    st.sampled_from(["\r\n", "\r", "\n", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"]),
)
def test_whatever_ends_a_line_ends_it_for_every_reader(text: str, end: str) -> None:
    entry = replace(_odd("Ship"), text=f"a{text}b", place=f"x{end}y\tz")
    content = write("Trip", [entry], changed_at=NOW)
    assert texts_in(content, "DESCRIPTION") == [entry.text]
    assert texts_in(content, "LOCATION") == ["x\ny z"]
    assert all(len(line) <= 75 and line.decode() is not None for line in content.split(b"\r\n"))
    assert len(content.decode().splitlines()) == content.count(b"\r\n")


def test_what_is_cancelled_says_so_where_a_calendar_reads_its_title_only_and_keeps_nobody_busy() -> None:
    (gone,) = Calendar.from_ical(
        write("Trip", [replace(_odd("Hotel: Adria, Kotor"), status=EntryStatus.CANCELLED)], changed_at=NOW)
    ).walk("VEVENT")
    assert (gone["SUMMARY"], gone["TRANSP"]) == ("Cancelled: Hotel: Adria, Kotor", "TRANSPARENT")
    (kept,) = Calendar.from_ical(write("Trip", [_odd("Hotel: Adria, Kotor")], changed_at=NOW)).walk("VEVENT")
    assert (kept["SUMMARY"], kept["TRANSP"]) == ("Hotel: Adria, Kotor", "OPAQUE")


@example(made=[replace(_odd("Québec 😀👩\u200d👩\u200d👧" * 9), text="漢" * 90, place="é" * 90)])
@given(made=st.lists(entries(), max_size=3, unique_by=lambda entry: entry.uid))
def test_a_file_keeps_the_rules_of_rfc_5545_and_of_a_published_one(made: list[Entry]) -> None:
    """Lines of 75 octets that part no character (3.1), what an event has once (3.6.1), an end behind the beginning
    (3.8.2.2), and what a published one needs besides (RFC 5546, 3.2.1), but an organizer: Outlook takes an entry that
    has one for a meeting."""
    content = write("Québec", made, changed_at=NOW)
    lines = content.split(b"\r\n")
    assert lines[-1] == b""
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    assert all(0 < len(line) <= 75 and line.decode() for line in lines[:-1])
    calendar = Calendar.from_ical(content)
    assert (calendar["VERSION"], calendar["METHOD"]) == ("2.0", "PUBLISH")
    for event in calendar.walk("VEVENT"):
        assert event.decoded("dtstart") < event.decoded("dtend")
        once = ("UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "SEQUENCE", "STATUS", "TRANSP")
        assert [name for name in once if not isinstance(event.get(name), list) and name in event] == list(once)


def test_days_carry_no_zone_and_only_moments_are_utc() -> None:
    """Floating: a day of the trip is that day wherever the reader's clock stands."""
    entry = Entry(uid="a@wayvault", sequence=3, begins_on=date(2027, 3, 28), ends_on=date(2027, 3, 28), title="Ship")
    lines = write("Trip", [entry], changed_at=NOW).decode().split("\r\n")
    assert "DTSTART;VALUE=DATE:20270328" in lines
    assert "DTEND;VALUE=DATE:20270329" in lines
    assert "DTSTAMP:20261121T120000Z" in lines
    assert not any("TZID" in line or "VTIMEZONE" in line for line in lines)


def test_the_same_trip_gives_the_same_bytes() -> None:
    entry = Entry(uid="a@wayvault", sequence=1, begins_on=date(2027, 1, 1), ends_on=date(2027, 1, 2), title="Ship")
    assert write("Trip", [entry], changed_at=NOW) == write("Trip", [entry], changed_at=NOW)
