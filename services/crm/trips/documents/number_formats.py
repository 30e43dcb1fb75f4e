"""What a cell's number format writes beside its value: 1111 as "4111 1111 1111 "0000 is shown as a whole card number.

Format codes as ECMA-376 part 1, 18.8.31 describes them; the styles of OpenDocument (part 3, 16.29) are turned into
such codes. Only formats that hold digits of their own are looked at, and those that show days and times as digits
alone, as yyyy does, which may be a part of a number over several cells. Every section of one is written out, whatever
its condition says. Left out are eras, weeks, quarters, and days that a sheet counts from another day than Excel's two.
"""

import calendar
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from itertools import chain, islice
from typing import Final, NamedTuple

# Excel's longest has 255 characters.
_LONGEST_CODE: Final = 2_000
_LONGEST_VALUE: Final = 40
# Each is written out for each cell that a condition may give it to.
_MOST_SECTIONS: Final = 200
# Texts of one file, seconds of work; a list with more cells that show digits of their own is nobody's travel papers.
_MOST_SHOWN: Final = 100_000
# No card number has as many digits before its point; "1E+999999" would be written out.
_MOST_WHOLE_DIGITS: Final = 20
_SECONDS_A_DAY: Final = 86_400
# The day of serial 0, as LibreOffice counts, and Excel from March 1900 on: it has a 29 February 1900. Then that of
# workbooks whose days begin in 1904 (ECMA-376 part 1, 18.17.4.1).
_FIRST_DAY: Final = date(1899, 12, 30)
_FIRST_DAY_1904: Final = date(1904, 1, 1)
_MICROSECOND: Final = timedelta(microseconds=1)
_SERIAL_OF_MARCH_1900: Final = 61
_BUDDHIST: Final = 543
_DURATION: Final = re.compile(r"-?PT(?:([0-9]{1,12})H)?(?:([0-9]{1,12})M)?(?:([0-9]{1,12}(?:\.[0-9]{1,9})?)S)?")
# Quoted; escaped; as wide as a sign, or filled up with it; a currency and its language; hours and the like that go on
# beyond a day; a colour or condition; a digit of the value; the value as it is; days and times; whatever else.
_TOKEN: Final = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|(?P<blank>_.)|\*.|\[\$(?P<currency>[^\]]*?)(?:-[0-9a-f]*)?\]'
    r"|\[(?P<elapsed>h+|m+|s+)\]|\[[^\]]*\]|(?P<digit>[0#?])|(?P<value>General|@)"
    r"|(?P<day>y+|m+|d+|h+|s+|e+|g+|b+|am/pm|a/p)|(?P<other>.)",
    re.DOTALL | re.IGNORECASE,
)


class _Token(NamedTuple):
    kind: str
    text: str


_Section = list[_Token]


class NumberFormat:
    """A format by its code, or several, and others beside them, of which one is used on a condition."""

    def __init__(self, *codes: str, others: Iterable["NumberFormat"] = ()) -> None:
        sections = (section for code in codes for section in _sections(code))
        own = (each for each in sections if any(_has_digits(token) for token in each) or _is_of_digits(each))
        of_others = (section for other in others for section in other._sections)
        self._sections: list[_Section] = list(islice(chain(own, of_others), _MOST_SECTIONS))
        self._of_texts = [each for each in self._sections if ("value", "@") in each]

    def __bool__(self) -> bool:
        """Whether it may write other digits than those of the value as it is kept."""
        return bool(self._sections)

    def shown(self, value: str, *, is_text: bool) -> list[str]:
        """The value as each section shows it. Texts are changed by a section with an @ only."""
        if is_text:
            return [_written(each, value) for each in self._of_texts]
        number = _number(value)
        return [] if number is None else [text for each in self._sections for text in _all_shown(each, number)]


class Showing:
    """Writes a file's values out in their formats, as many as there is time for. `too_much`: there were more."""

    def __init__(self) -> None:
        self._left = _MOST_SHOWN
        self.too_much = False

    def texts(self, value: str, formats: Iterable[NumberFormat], *, is_text: bool) -> list[str]:
        """The value in each section of each format."""
        shown: list[str] = []
        for each in formats:
            if self._left <= 0:
                self.too_much = True
                break
            texts = each.shown(value, is_text=is_text)
            self._left -= len(texts)
            shown += texts
        return shown


def escaped(text: str) -> str:
    r"""A text as a format writes it: "4 1" becomes \4\ \1."""
    return "".join(f"\\{sign}" for sign in text)


def serial(day_or_time: str) -> str:
    """The number behind a day, or behind a time as OpenDocument keeps it (ISO 8601: 2026-11-28T09:30:00, PT9H30M0S);
    empty when it is none."""
    if found := _DURATION.fullmatch(day_or_time):
        hours, minutes, seconds = (Decimal(each or 0) for each in found.groups())
        return f"{(hours * 3600 + minutes * 60 + seconds) / _SECONDS_A_DAY:.12f}"
    try:
        moment = datetime.fromisoformat(day_or_time).replace(tzinfo=UTC)
    except ValueError:
        return ""
    since = moment - datetime.combine(_FIRST_DAY, time(), UTC)
    return f"{Decimal(since // _MICROSECOND) / (_SECONDS_A_DAY * 1_000_000):.12f}"


def _sections(code: str) -> Iterator[_Section]:
    section: _Section = []
    for found in _TOKEN.finditer(code[:_LONGEST_CODE]):
        kind, text = found.lastgroup or "", found[found.lastgroup or 0]
        if kind == "other" and text == ";":
            yield section
            section = []
        elif kind in ("quoted", "escaped", "currency") or (kind == "other" and text not in ".,%"):
            section.append(_Token("literal", text))
        elif kind == "blank":
            section.append(_Token("literal", " "))
        elif kind in ("day", "elapsed"):
            section.append(_Token(kind, text.lower()))
        elif kind in ("digit", "value", "other"):
            section.append(_Token(kind, text))
    yield section


def _has_digits(token: _Token) -> bool:
    return token.kind == "literal" and any(sign.isdecimal() for sign in token.text)


def _is_of_days(section: _Section) -> bool:
    """An E beside places of digits is a power of ten; alone it is a year."""
    written = [token.text[0] for token in section if token.kind in ("day", "elapsed")]
    return bool(written) and (set(written) != {"e"} or not any(token.kind == "digit" for token in section))


def _is_of_digits(section: _Section) -> bool:
    """Whether it shows days or times with nothing but blanks between their digits."""
    return _is_of_days(section) and all(
        "/" not in text and text[:3] not in ("ddd", "mmm") if kind in ("day", "elapsed") else text.isspace()
        for kind, text in section
    )


def _all_shown(section: _Section, number: Decimal) -> Iterator[str]:
    """The one text of a number; a day's as Excel and LibreOffice count, then by a workbook that counts from 1904."""
    if not _is_of_days(section):
        yield _with_digits(section, abs(number))
        return
    yield _DayAndTime(section, number, _FIRST_DAY).text
    if number < _SERIAL_OF_MARCH_1900:
        yield _DayAndTime(section, number, _FIRST_DAY + timedelta(days=1)).text
    yield _DayAndTime(section, number, _FIRST_DAY_1904).text


def _number(value: str) -> Decimal | None:
    try:
        number = Decimal(value) if len(value) <= _LONGEST_VALUE else None
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() and number.adjusted() < _MOST_WHOLE_DIGITS else None


def _written(section: _Section, value: str) -> str:
    """The section's own words, and the value where it stands as it is."""
    return "".join(value if kind == "value" else text for kind, text in section if kind not in ("day", "elapsed"))


def _with_digits(section: _Section, number: Decimal) -> str:
    """The section with the number's digits in its places; marks of thousands are left out."""
    number *= Decimal(100) ** sum(token == ("other", "%") for token in section)
    at_point = next((at for at, token in enumerate(section) if token == ("other", ".")), len(section))
    number /= Decimal(1000) ** _commas_at_the_end(section[:at_point])
    places = sum(token.kind == "digit" for token in section[at_point:])
    whole, _, fraction = f"{number:.{places}f}".partition(".")
    in_front = "".join(token.text for token in section[:at_point] if token.kind == "digit")
    digits = iter([*_placed(whole, in_front), *fraction])
    filled = (_Token("literal", next(digits)) if token.kind == "digit" else token for token in section)
    return _written([token for token in filled if token != ("other", ",")], f"{number:f}")


def _commas_at_the_end(section: _Section) -> int:
    """Those behind the last place, each of which divides by a thousand."""
    signs = "".join("," if token == ("other", ",") else token.kind[0] for token in section)
    _, place, behind = signs.rpartition("d")
    return len(behind) - len(behind.lstrip(",")) if place else 0


def _placed(whole: str, places: str) -> Iterator[str]:
    """What stands in each place: the first one has all digits that there are no places for; without a digit, a place
    behind a 0 has a nought too."""
    spare = len(whole) - len(places)
    for at, place in enumerate(places):
        if spare + at >= 0:
            yield whole[: spare + 1] if at == 0 else whole[spare + at]
        elif "0" in places[: at + 1]:
            yield "0"
        else:
            yield " " if place == "?" else ""


class _DayAndTime:
    """A serial, in days, as a section shows it that writes days or times."""

    def __init__(self, section: _Section, serial: Decimal, first_day: date) -> None:
        self._section = section
        places = sum(token.kind == "digit" for token in section)
        whole, _, fraction = f"{serial * _SECONDS_A_DAY:.{places}f}".partition(".")
        self._whole, self._fraction = int(whole), iter(fraction)
        days = self._whole // _SECONDS_A_DAY
        # LibreOffice goes back beyond the first day; beyond the year 9999 a reader shows none.
        near = (date.min - first_day).days <= days <= (date.max - first_day).days
        self._day = first_day + timedelta(days=days) if near else None
        self._half_days = any("/" in token.text for token in section if token.kind == "day")

    @property
    def text(self) -> str:
        return "".join(self._shown(at, *token) for at, token in enumerate(self._section))

    def _shown(self, at: int, kind: str, text: str) -> str:
        if kind == "elapsed":
            return str(abs(self._whole) // {"h": 3600, "m": 60, "s": 1}[text[0]]).zfill(len(text))
        if kind == "digit":
            return next(self._fraction, "")
        if kind != "day":
            return text
        if text[0] in "hs" or "/" in text or (text in ("m", "mm") and self._are_minutes(at)):
            return self._time(text)
        return self._date(text, self._day) if self._day else ""

    def _are_minutes(self, at: int) -> bool:
        """An M behind hours or before seconds stands for minutes."""
        before = next((each.text for each in self._section[at - 1 :: -1] if _counts(each)), "") if at else ""
        behind = next((each.text for each in self._section[at + 1 :] if _counts(each)), "")
        return before.startswith("h") or behind.startswith("s")

    def _time(self, text: str) -> str:
        hour = self._whole // 3600 % 24
        if "/" in text:
            return ("PM" if hour >= 12 else "AM")[: len(text) // 2]
        if text[0] == "h":
            number = (hour % 12 or 12) if self._half_days else hour
        else:
            number = self._whole // 60 % 60 if text[0] == "m" else self._whole % 60
        return str(number).zfill(min(len(text), 2))

    def _date(self, text: str, day: date) -> str:
        if text[0] in "yeb":
            year = day.year + (_BUDDHIST if text[0] == "b" else 0)
            return f"{year % 100:02}" if len(text) <= 2 and text[0] != "e" else f"{year:04}"
        if text[0] == "g":
            return ""
        if len(text) <= 2:
            return str(day.month if text[0] == "m" else day.day).zfill(len(text))
        name = calendar.month_name[day.month] if text[0] == "m" else calendar.day_name[day.weekday()]
        return name[:1] if len(text) > 4 else name[:3] if len(text) == 3 else name


def _counts(token: _Token) -> bool:
    return token.kind in ("day", "elapsed") and "/" not in token.text
