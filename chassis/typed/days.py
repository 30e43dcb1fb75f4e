"""Days as browsers send and people type them, within bounds that pages, papers and calendars can print. Pure."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from typing import Final

from babel import Locale

from chassis.typed.names import fold
from chassis.typed.text import plain

# Everything that has a day here lies between these: a traveler's birth, and a trip planned long ahead.
EARLIEST: Final = date(1900, 1, 1)
LATEST: Final = date(2100, 12, 31)

_LONGEST: Final = 200
_EXAMPLE: Final = "such as 2026-11-21 or 21 Nov 2026"
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMES: Final = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september", "october"),
    *("november", "december"),
)
_WORD_BEFORE: Final = re.compile(r"^([^\W\d_]{1,20})(?:-feira)?[ ,.،]+")
_WORD_BEHIND: Final = re.compile(r"[ ,]{1,2}([^\W\d_]{1,20})$")
_ISO: Final = re.compile(r"([0-9]{4,6})([-/.])([0-9]{1,2})\2([0-9]{1,2})")
_NUMBERS: Final = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{1,6})")
# Airlines run them together: 31DEC2026; what begins a month is no ending of the day's: 1OCT2026, 1styczeń 2026.
_DAY_NAME: Final = re.compile(
    r"(?:the |den )?([0-9]{1,2})(?:st(?!y)|nd|rd|th|er|(?<=(?<![0-9])1)(?-i:o)(?= de\b)|[ºª°])?"
    r"[ .\-/]{0,3}(?:(?:of|de|den) |d')?"
    r"([^\W\d_]{1,20})[ .,\-/]{0,3}(?:del? )?'?([0-9]{1,6})",
    re.IGNORECASE,
)
_NAME_DAY: Final = re.compile(
    r"([^\W\d_]{1,20})[ .\-]{0,3}([0-9]{1,2})(?:st|nd|rd|th)?[ ,.\-]{1,3}'?([0-9]{1,6})", re.IGNORECASE
)
_YEAR_NAME: Final = re.compile(
    r"([0-9]{4,6})[ ,.\-/]{1,3}([^\W\d_]{1,20})[ .\-/]{0,3}([0-9]{1,2})(?:st|nd|rd|th)?", re.IGNORECASE
)
# Whose names of months and weekdays are read beside the English ones.
_LANGUAGES: Final = (
    *("de", "fr", "es", "it", "nl", "pt", "sv", "nb", "da", "fi", "is"),
    *("pl", "cs", "sk", "hr", "hu", "ru", "uk", "tr", "ro", "el", "ar", "he", "id"),
)
# Written by hand and not in CLDR, and Hungary's and Poland's Roman ones.
_OTHER_MONTHS: Final = {"mrz": 3, "maerz": 3, "sept": 9, "jänner": 1, "jaenner": 1, "feber": 2} | {
    roman: number
    for number, roman in enumerate(("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii"), 1)
}
# Parted by blanks, or as cameras and lists part them.
_PARTED: Final = re.compile(r"([0-9]{1,4})([ ,_|:])([0-9]{1,2})\2([0-9]{1,6})")
# ISO 8601: the year, the week, the day of the week.
_WEEK: Final = re.compile(r"([0-9]{4})-?W([0-9]{2})-?([1-7])", re.IGNORECASE)
# As programs write a day: without separators, or with the midnight that it begins at.
_RUN_TOGETHER: Final = re.compile(r"((?:19|20|21)[0-9]{2})(0[1-9]|1[0-2])([0-3][0-9])")
_TIME: Final = re.compile(r"[T ]00:00(?::00(?:\.0{1,9})?)?(?:Z|[+\-]00:?00)?$")
_SIGNS: Final = str.maketrans(
    {"年": "-", "月": "-", "日": "", "년": "-", "월": "-", "일": "", "\\": "/", "⁄": "/", "∕": "/"}
    | dict.fromkeys("‐‑‒–—―−", "-")
)


class DayError(ValueError):
    """A day that can't be read; the message is safe to show to the person who typed it."""


def read_day(text: str, *, earliest: date = EARLIEST, latest: date = LATEST) -> date:
    """Reads "2026-11-21", "21 Nov 2026", "Nov 21, 2026", "21. November 2026", "21 de noviembre de 2026", "21/11/2026".

    Raises DayError with a text for the person: for a day that does not exist, a year out of bounds or with two digits,
    and for "3/4/2026", which is in March or in April.
    """
    year, month, day = _parts(_tidied(text))
    if len(year) < 4:
        raise DayError(f"Check the year: write it with four digits, {_EXAMPLE}.")
    if not earliest.year <= int(year) <= latest.year:
        raise DayError(_out_of_bounds(year, earliest, latest))
    try:
        found = date(int(year), month, day)
    except ValueError:
        raise DayError(_no_such_day(int(year), month, day)) from None
    if not earliest <= found <= latest:
        raise DayError(f"Enter a day from {_in_words(earliest)} to {_in_words(latest)}.")
    return found


def day_from(text: str) -> date | None:
    """An ISO day of another service's message or an address, within bounds; None for anything else."""
    try:
        found = date.fromisoformat(text) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else None
    except ValueError:
        return None
    return found if found and EARLIEST <= found <= LATEST else None


def day_of_the_year(day: int | None, month: int, year: int | None, *, unknown_year: int) -> date:
    """A day that comes back every year; where its year is not known in `unknown_year`, a leap year. Raises DayError."""
    if day is None or not 1 <= day <= 31:
        raise DayError("Enter a day from 1 to 31.")
    if year is not None and not EARLIEST.year <= year <= LATEST.year:
        year = None  # the year's own field says so
    try:
        return date(year or unknown_year, month, day)
    except ValueError:
        words = f"{_NAMES[month - 1].title()} has no day {day}{f' in {year}' if year else ''}."
        raise DayError(words) from None


def birthday_bounds(today: date) -> tuple[date, date]:
    """Between which days a living person was born; a day ahead, because it begins earlier elsewhere."""
    return EARLIEST, today + timedelta(days=1)


def _tidied(text: str) -> str:
    """Without weekday, midnight and full stop; dashes as hyphens, nothing beside what parts the numbers."""
    day = _TIME.sub("", _without_weekday(plain(text[:_LONGEST]).translate(_SIGNS)))
    # Behind the year Russian and Ukrainian say that it is one.
    day = re.sub(r"(?<=[0-9]) ?[гр]\.?$", "", day.strip())
    day = re.sub(r"(?<=[0-9]) ?([-/.]) ?(?=[0-9])", r"\1", day).strip(" .,")
    return "-".join(found.group(1, 3, 4)) if (found := _PARTED.fullmatch(day)) else day


def _without_weekday(day: str) -> str:
    """ "mar" is Tuesday in "mar 28 abr 2026" and March in "mar 28, 2026"."""
    before, behind = _WORD_BEFORE.match(day), _WORD_BEHIND.search(day)
    if before and (name := fold(before[1])) in _weekdays():
        rest = day[before.end() :]
        return rest if not _is_month(name) or re.search(r"[^\W\d_]{2}", rest) else day
    if behind and re.match(r"[0-9]", day) and fold(behind[1]) in _weekdays() and not _is_month(fold(behind[1])):
        return day[: behind.start()]
    return day


def _parts(text: str) -> tuple[str, int, int]:
    """Year as typed, month, day."""
    if found := _RUN_TOGETHER.fullmatch(text):
        return found[1], int(found[2]), int(found[3])
    if found := _WEEK.fullmatch(text):
        return _in_week(found[1], int(found[2]), int(found[3]))
    if found := _YEAR_NAME.fullmatch(text):
        return found[1], _month(found[2]), int(found[3])
    if found := _ISO.fullmatch(text):
        return found[1].lstrip("0").rjust(4, "0") if len(found[1]) > 4 else found[1], int(found[3]), int(found[4])
    if found := _DAY_NAME.fullmatch(text):
        return found[3], _month(found[2]), int(found[1])
    if found := _NAME_DAY.fullmatch(text):
        return found[3], _month(found[1]), int(found[2])
    if found := _NUMBERS.fullmatch(text):
        return _day_or_month_first(int(found[1]), int(found[3]), found[4])
    raise DayError(f"Enter a date, {_EXAMPLE}.")


def _in_week(year: str, week: int, day: int) -> tuple[str, int, int]:
    try:
        found = date.fromisocalendar(int(year), week, day)
    except ValueError:
        raise DayError(f"{year} has no week {week}: a date is written {_EXAMPLE}.") from None
    return f"{found.year:04d}", found.month, found.day


def _month(name: str) -> int:
    lower = name.lower()
    for number, (short, whole) in enumerate(zip(_MONTHS, _NAMES, strict=True), 1):
        if lower in (short, whole):
            return number
    known = _months_elsewhere()
    if elsewhere := _OTHER_MONTHS.get(lower) or known.get(name.casefold()) or known.get(fold(name)):
        return elsewhere
    raise DayError(f"Enter a date, {_EXAMPLE}: “{name[:20]}” is no month.")


@cache
def _months_elsewhere() -> Mapping[str, int]:
    """Months by their names in other languages, short and whole; a name that is two months is none: "lis" is October in
    Zagreb and November in Warsaw. As written and as folded: "листопада" is November in Kyiv alone."""
    found: dict[str, set[int]] = {}
    for language in _LANGUAGES:
        months = Locale.parse(language).months
        for name, number in (
            (name, number)
            for context in ("format", "stand-alone")
            for width in ("wide", "abbreviated")
            for number, name in months[context][width].items()
        ):
            for way in {name.rstrip(".").casefold(), fold(name.rstrip("."))}:
                found.setdefault(way, set()).add(number)
    return {name: numbers.pop() for name, numbers in found.items() if len(numbers) == 1}


@cache
def _weekdays() -> frozenset[str]:
    """Their names, short and whole; of "quinta-feira" the first part."""
    return frozenset(
        fold(name.rstrip(".").partition("-")[0])
        for language in ("en", *_LANGUAGES)
        for context in Locale.parse(language).days.values()
        for names in context.values()
        for name in names.values()
        if len(name) > 1
    )


def _is_month(name: str) -> bool:
    return name in (*_MONTHS, *_NAMES) or name in _OTHER_MONTHS or name in _months_elsewhere()


def _day_or_month_first(first: int, second: int, year: str) -> tuple[str, int, int]:
    if first != second and 0 < first <= 12 and 0 < second <= 12:
        either = f"{first} {_MONTHS[second - 1].title()}", f"{second} {_MONTHS[first - 1].title()}"
        raise DayError(f"That is {either[0]} or {either[1]}. Write the month by name, {_EXAMPLE}.")
    return (year, second, first) if second <= 12 else (year, first, second)


def _out_of_bounds(year: str, earliest: date, latest: date) -> str:
    return f"Check the year: {year} is not between {earliest.year} and {latest.year}."


def _no_such_day(year: int, month: int, day: int) -> str:
    if not 1 <= month <= 12:
        return f"There is no month {month}: a date is written {_EXAMPLE}."
    return f"{_NAMES[month - 1].title()} {year} has no day {day}."


def _in_words(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1].title()} {day.year}"
