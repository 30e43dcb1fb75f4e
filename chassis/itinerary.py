"""A trip day by day, as its travelers read it: the same on the agent's page, the client's, a shared link and paper.

Days and times are those of the place. A part's zones are known only where somebody gave them; without them nothing is
reckoned between two places. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from babel.dates import format_time

from chassis.moments import LOCALE, written_day, zone_of
from chassis.typed.times import time_from

KIND_WORDS: Final = {
    "cruise": "Cruise",
    "hotel": "Hotel",
    "tour": "Tour",
    "flight": "Flight",
    "car": "Car",
    "insurance": "Insurance",
    "other": "Booking",
}
KIND_ICONS: Final = {
    "cruise": "ship",
    "hotel": "bed-double",
    "tour": "map",
    "flight": "plane",
    "car": "car",
    "insurance": "shield",
    "other": "ticket",
}
# What happens at a part's beginning and at its end.
_ENDS: Final = {
    "flight": ("Fly with", ""),
    "hotel": ("Check in at", "Check out of"),
    "cruise": ("Board", "Leave"),
    "tour": ("", "End of"),
    "car": ("Pick up the car from", "Return the car to"),
    "other": ("", "End of"),
}
# Where a night is spent.
_NIGHTS: Final = {"hotel": "Overnight at", "cruise": "Overnight on board with"}
# What carries travelers from one place to another; a hotel's address is no place of the route.
_MOVES: Final = frozenset({"flight", "cruise", "tour", "car", "other"})
# Whatever takes longer is no journey but a slip of the days.
_LONGEST_JOURNEY: Final = timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Where and when a part begins or ends. `zone` is an IANA name; all may be empty."""

    place: str = ""
    terminal: str = ""
    at: time | None = None
    zone: str = ""

    @property
    def where(self) -> str:
        """ "Oslo Gardermoen, terminal 2"."""
        terminal = self.terminal if self.terminal.lower().startswith(("terminal", "pier", "gate")) else ""
        terminal = terminal or (f"terminal {self.terminal}" if self.terminal else "")
        return ", ".join(part for part in (self.place, terminal) if part)

    def clock(self, on: date) -> str:
        """ "7:55 PM CET": the zone's short name as on that day."""
        if self.at is None:
            return ""
        words = clock(self.at)
        if not self.zone:
            return words
        name = datetime.combine(on, self.at, tzinfo=zone_of(self.zone)).tzname() or ""
        if name[:1] in ("+", "-"):  # "+0545", of zones that have no letters of their own
            name = f"UTC{name[:3]}:{name[3:]}".rstrip(":")
        return f"{words} {name}"

    def moment(self, on: date, *, second: bool = False) -> datetime | None:
        """The moment in UTC, where time and zone are known: two of one zone can't be compared or subtracted as they
        stand when its clocks change in between. `second`: of an hour that is there twice, the later one."""
        if self.at is None or not self.zone:
            return None
        return datetime.combine(on, self.at, tzinfo=zone_of(self.zone)).replace(fold=int(second)).astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One supplier's part of the trip. `price` is ready to print; empty where prices are not shown."""

    id: str
    kind: str
    supplier: str
    text: str = ""
    confirmation: str = ""
    number: str = ""
    notes: str = ""
    begins_on: date | None = None
    ends_on: date | None = None
    starts: Point = field(default_factory=Point)
    ends: Point = field(default_factory=Point)
    price: str = ""

    @property
    def kind_word(self) -> str:
        return KIND_WORDS.get(self.kind, KIND_WORDS["other"])

    @property
    def icon(self) -> str:
        return KIND_ICONS.get(self.kind, KIND_ICONS["other"])

    @property
    def moments(self) -> tuple[datetime, datetime] | None:
        """When it begins and ends, in UTC, where times and zones of both are known."""
        if self.begins_on is None:
            return None
        begins, last = self.starts.moment(self.begins_on), self.ends_on or self.begins_on
        for second in (False, True):
            ends = self.ends.moment(last, second=second)
            if begins and ends and begins < ends:
                return begins, ends
        return None

    @property
    def lines(self) -> tuple[str, ...]:
        """Its times and places in words, beginning and end."""
        told = _happenings(self) if self.begins_on else []
        found = [line for _, each in told if each.told or self.kind != "flight" for line in each.lines]
        return tuple(dict.fromkeys(found))

    @property
    def lasts(self) -> str:
        """How long a journey takes, "8 h 25 min"; empty where zones or times are not known."""
        if self.kind != "flight" or self.moments is None:
            return ""
        begins, ends = self.moments
        minutes = int((ends - begins).total_seconds()) // 60
        if minutes > _LONGEST_JOURNEY.total_seconds() // 60:
            return ""
        hours, rest = divmod(minutes, 60)
        return " ".join(part for part in (f"{hours} h" if hours else "", f"{rest} min" if rest else "") if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """What happens at one time of a day. `told` says that the part's own text stands here."""

    leg: Leg
    at: time | None
    title: str
    lines: tuple[str, ...]
    told: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day on which something happens, or several on which nothing new does (`until` = the last of them)."""

    on: date
    until: date
    number: int
    happenings: tuple[Happening, ...]
    tonight: tuple[str, ...]

    @property
    def words(self) -> str:
        """ "Sat 21 Nov 2026", or both ends of several days."""
        return written_day(self.on) if self.on == self.until else f"{written_day(self.on)} – {written_day(self.until)}"

    @property
    def label(self) -> str:
        """ "Day 3", "Days 3–6"."""
        last = self.number + (self.until - self.on).days
        return f"Day {self.number}" if last == self.number else f"Days {self.number}–{last}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The whole trip: its days, what runs along (insurance), what has no day yet, and the places on the way."""

    days: tuple[Day, ...]
    along: tuple[Leg, ...]
    undated: tuple[Leg, ...]
    route: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        return not (self.days or self.along or self.undated)


def clock(at: time) -> str:
    """ "7:55 PM"."""
    return format_time(at, "h:mm a", locale=LOCALE)


def pack(number: str, notes: str, starts: Point, ends: Point) -> dict[str, str]:
    """What a JSON column keeps of a part's times and places; nothing of what is empty."""
    found = {"number": number, "notes": notes}
    for name, point in (("starts", starts), ("ends", ends)):
        found |= {
            f"{name}_place": point.place,
            f"{name}_terminal": point.terminal,
            f"{name}_at": point.at.strftime("%H:%M") if point.at else "",
            f"{name}_zone": point.zone,
        }
    return {key: value for key, value in found.items() if value}


def unpack(kept: Mapping[str, str] | None) -> tuple[str, str, Point, Point]:
    """Number, notes, beginning and end, as `pack` kept them; empty for rows of before."""
    found = kept or {}
    starts, ends = (
        Point(
            place=found.get(f"{name}_place", ""),
            terminal=found.get(f"{name}_terminal", ""),
            at=time_from(found.get(f"{name}_at", "")),
            zone=found.get(f"{name}_zone", ""),
        )
        for name in ("starts", "ends")
    )
    return found.get("number", ""), found.get("notes", ""), starts, ends


def plan(legs: Sequence[Leg]) -> Plan:
    """Puts the parts, given in the order of the trip, into days."""
    along = tuple(leg for leg in legs if leg.kind == "insurance")
    dated = [leg for leg in legs if leg.kind != "insurance" and leg.begins_on is not None]
    undated = tuple(leg for leg in legs if leg.kind != "insurance" and leg.begins_on is None)
    return Plan(days=_days(dated), along=along, undated=undated, route=_route(dated + list(undated)))


def _days(legs: Sequence[Leg]) -> tuple[Day, ...]:
    by_day: dict[date, list[Happening]] = {}
    for leg in legs:
        for on, happening in _happenings(leg):
            by_day.setdefault(on, []).append(happening)
    if not by_day:
        return ()
    first, last = min(by_day), max(by_day)
    starts = sorted({*by_day, *(day + timedelta(days=1) for day in by_day if day < last)})
    return tuple(
        Day(
            on=begin,
            until=after - timedelta(days=1),
            number=(begin - first).days + 1,
            happenings=tuple(_in_order(by_day.get(begin, ()))),
            tonight=_tonight(legs, begin),
        )
        for begin, after in zip(starts, [*starts[1:], last + timedelta(days=1)], strict=True)
    )


def _in_order(happenings: Iterable[Happening]) -> list[Happening]:
    """By the clock; what has no time keeps its place, an end before a beginning."""
    found = sorted(happenings, key=lambda each: each.told)
    timed = iter(sorted((each for each in found if each.at), key=lambda each: each.at or time.min))
    return [next(timed) if each.at else each for each in found]


def _happenings(leg: Leg) -> list[tuple[date, Happening]]:
    """A part's beginning and, where it is told by itself, its end."""
    begins_on = leg.begins_on
    assert begins_on is not None
    ends_on = leg.ends_on or begins_on
    begin, end = _ENDS.get(leg.kind, _ENDS["other"])
    name = f"{leg.supplier} {leg.number}".strip() if leg.kind == "flight" else leg.supplier
    lines = [_arrow(leg, begins_on, ends_on)] if leg.kind == "flight" else [_at(leg.starts, begins_on)]
    if leg.kind not in ("flight", "hotel") and ends_on <= begins_on:
        lines.append(_until(leg.ends, ends_on))
    if ends_on < begins_on:
        lines.append(f"{written_day(begins_on)} – {written_day(ends_on)}, across the date line")
    first = Happening(
        leg=leg,
        at=leg.starts.at,
        title=f"{begin} {name}".strip(),
        lines=tuple(line for line in lines if line),
        told=True,
    )
    found = [(begins_on, first)]
    if leg.kind == "flight" and ends_on > begins_on:
        where = f"Arrive in {leg.ends.where}" if leg.ends.place else f"Arrive with {name}"
        found.append(
            (ends_on, Happening(leg=leg, at=leg.ends.at, title=where, lines=_some(leg.ends.clock(ends_on)), told=False))
        )
    elif ends_on > begins_on:
        last = Happening(
            leg=leg, at=leg.ends.at, title=f"{end} {name}", lines=_some(_at(leg.ends, ends_on)), told=False
        )
        found.append((ends_on, last))
    return found


def _some(line: str) -> tuple[str, ...]:
    return (line,) if line else ()


def _arrow(leg: Leg, begins_on: date, ends_on: date) -> str:
    """ "Boston 8:35 PM EST → Bergen 10:15 AM CET, Sun 22 Nov 2026 (7 h 40 min)"."""
    departs = " ".join(part for part in (leg.starts.where, leg.starts.clock(begins_on)) if part)
    arrives = " ".join(part for part in (leg.ends.where, leg.ends.clock(ends_on)) if part)
    if arrives and ends_on != begins_on:
        arrives = f"{arrives}, {written_day(ends_on)}"
    elif ends_on != begins_on:
        arrives = f"arrives {written_day(ends_on)}"
    way = " → ".join(part for part in (departs, arrives) if part)
    return f"{way} ({leg.lasts})" if leg.lasts else way


def _at(point: Point, on: date) -> str:
    return " · ".join(part for part in (point.clock(on), point.where) if part)


def _until(point: Point, on: date) -> str:
    words = _at(point, on)
    return f"Until {words}" if words else ""


def _tonight(legs: Sequence[Leg], on: date) -> tuple[str, ...]:
    return tuple(
        f"{_NIGHTS[leg.kind]} {leg.supplier}"
        for leg in legs
        if leg.kind in _NIGHTS and leg.begins_on is not None and leg.begins_on <= on < (leg.ends_on or leg.begins_on)
    )


def _route(legs: Sequence[Leg]) -> tuple[str, ...]:
    """The places on the way, each where it follows another."""
    route: list[str] = []
    for leg in legs:
        if leg.kind in _MOVES:
            for place in (leg.starts.place, leg.ends.place):
                if place and (not route or route[-1].casefold() != place.casefold()):
                    route.append(place)
    return tuple(route) if len(route) > 1 else ()
