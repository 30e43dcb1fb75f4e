"""Calendar files (RFC 5545) of a trip.

An entry is a **whole day, floating**: a day of a trip is that day wherever the reader's clock stands. Where both ends
are known as moments (a flight with times and zones) they are written in UTC, which every calendar shows in the reader's
zone; the place's own time stands in the text. So there is no TZID and no VTIMEZONE.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from icalendar import Calendar, Event, vDuration, vText

from chassis.former_days import CalendarDay

CONTENT_TYPE = "text/calendar"
_PRODUCT = "-//Wayvault//Trips//EN"
# What no text value may hold (RFC 5545, 3.1: CONTROL).
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
# What ends a line, for some reader at least.
_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")


class EntryStatus(StrEnum):
    """How sure an entry is (RFC 5545, 3.8.1.11)."""

    CONFIRMED = "CONFIRMED"
    TENTATIVE = "TENTATIVE"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry: whole days or, with `moments`, from one to the other. `ends_on` is its last day, included; it lies
    before `begins_on` where the date line was crossed. `uid` never changes: by it, a calendar replaces what it has;
    `sequence` grows with each change. `busy` = the person is away; a due date blocks nobody's day, nor does what was
    cancelled, whose title says so."""

    uid: str
    sequence: int
    begins_on: date
    ends_on: date
    title: str
    text: str = ""
    status: EntryStatus = EntryStatus.CONFIRMED
    busy: bool = True
    moments: tuple[datetime, datetime] | None = None
    place: str = ""


def cancelled(days: Iterable[CalendarDay], *, sequence: int) -> list[Entry]:
    """Entries for days that are no more, so that they leave the calendars that have them."""
    return [
        Entry(
            uid=day.uid,
            sequence=sequence,
            begins_on=day.begins_on,
            ends_on=day.ends_on,
            title=day.title,
            status=EntryStatus.CANCELLED,
            busy=False,
        )
        for day in days
    ]


def write(name: str, entries: Iterable[Entry], *, changed_at: datetime, asked_every: timedelta | None = None) -> bytes:
    """The file: entries by day. `changed_at` is when what it says last changed, aware, or now where that is not known:
    of two files with one SEQUENCE calendars take the later (RFC 5546, 2.1.5). The same, the same bytes.
    `asked_every` is for a file that calendars subscribe to: how long they may wait before they ask again."""
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", _clean(name))
    if asked_every is not None:
        # RFC 7986, 5.7; Outlook knows the older name only.
        calendar.add("refresh-interval", asked_every, parameters={"value": "DURATION"})
        calendar.add("x-published-ttl", vDuration(asked_every))
    for entry in sorted(entries, key=lambda each: (each.begins_on, each.uid)):
        calendar.add_component(_event(entry, changed_at.astimezone(UTC)))
    return bytes(calendar.to_ical())


def _event(entry: Entry, changed_at: datetime) -> Event:
    event = Event()
    event.add("uid", entry.uid)
    event.add("sequence", entry.sequence)
    event.add("dtstamp", changed_at)
    event.add("last-modified", changed_at)
    if entry.moments is not None:
        for name, moment in zip(("dtstart", "dtend"), entry.moments, strict=True):
            event.add(name, moment.astimezone(UTC))
    else:
        event.add("dtstart", min(entry.begins_on, entry.ends_on))
        # The end of a whole-day entry is the day after its last (RFC 5545, 3.6.1).
        event.add("dtend", max(entry.ends_on, entry.begins_on) + timedelta(days=1))
    gone = entry.status is EntryStatus.CANCELLED
    # Calendars that know no STATUS, calcurse for one, or take no entry for another's later form, show the title alone.
    event.add("summary", _clean(f"Cancelled: {entry.title}" if gone else entry.title))
    text = entry.text
    if entry.ends_on < entry.begins_on:
        text = f"{text}\n{_across_the_date_line(entry)}".lstrip()
    if text:
        event.add("description", _clean(text))
    if entry.place:
        event.add("location", _clean(entry.place))
    event.add("status", entry.status.value)
    event.add("transp", "OPAQUE" if entry.busy and not gone else "TRANSPARENT")
    return event


class _Text(vText):
    """A text as RFC 5545, 3.3.11 has it: icalendar itself takes the two characters \\N for a line's end."""

    def to_ical(self) -> bytes:
        escaped = re.sub(r"[\\;,]", lambda found: f"\\{found.group()}", str(self))
        return escaped.replace("\n", r"\n").encode()


def _clean(text: str) -> _Text:
    return _Text(_CONTROL.sub("", _LINE_END.sub("\n", text).replace("\t", " ")))


def _across_the_date_line(entry: Entry) -> str:
    left, arrived = (f"{day:%a} {day.day} {day:%b %Y}" for day in (entry.begins_on, entry.ends_on))
    return f"Leaves on {left} and arrives on {arrived}: it crosses the date line."
