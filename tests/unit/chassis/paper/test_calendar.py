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
    assert texts_in(content, "SUMMARY") == [entry.title for entry in in_order]
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
            assert str(event["SUMMARY"]) == entry.title
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
