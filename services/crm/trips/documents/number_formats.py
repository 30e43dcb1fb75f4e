"""What a cell's number format writes beside its value: 1111 as "4111 1111 1111 "0000 is shown as a whole card number.

Format codes as ECMA-376 part 1, 18.8.31 describes them; the styles of OpenDocument (part 3, 16.29) are turned into
such codes. Only formats that hold digits of their own are looked at. Every section of one is written out, whatever its
condition says; days and times are not.
"""

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Final, NamedTuple

# Excel's longest has 255 characters.
_LONGEST_CODE: Final = 2_000
_LONGEST_VALUE: Final = 40
# No card number has as many digits before its point; "1E+999999" would be written out.
_MOST_WHOLE_DIGITS: Final = 20
# Quoted; escaped; as wide as a sign, or filled up with it; a currency and its language, a colour or condition; a digit
# of the value; the value as it is; days and times; whatever else.
_TOKEN: Final = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|(?P<blank>_.)|\*.|\[\$(?P<currency>[^\]]*?)(?:-[0-9a-f]*)?\]|\[[^\]]*\]'
    r"|(?P<digit>[0#?])|(?P<value>General|@)|(?P<day>[ymdhsegb]+|am/pm|a/p)|(?P<other>.)",
    re.DOTALL | re.IGNORECASE,
)


class _Token(NamedTuple):
    kind: str
    text: str


_Section = list[_Token]


class NumberFormat:
    """A format by its code, or several of which one is used on a condition."""

    def __init__(self, *codes: str) -> None:
        sections = (section for code in codes for section in _sections(code))
        self._sections = [each for each in sections if any(_has_digits(token) for token in each)]

    def __bool__(self) -> bool:
        """Whether it holds digits of its own."""
        return bool(self._sections)

    def shown(self, value: str, *, is_text: bool) -> list[str]:
        """The value as each section shows it. Texts are changed by a section with an @ only."""
        if is_text:
            return [_written(each, value) for each in self._sections if ("value", "@") in each]
        number = _number(value)
        return [] if number is None else [_with_digits(each, number) for each in self._sections]


def escaped(text: str) -> str:
    r"""A text as a format writes it: "4 1" becomes \4\ \1."""
    return "".join(f"\\{sign}" for sign in text)


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
        elif kind in ("digit", "value", "other"):
            section.append(_Token(kind, text))
    yield section


def _has_digits(token: _Token) -> bool:
    return token.kind == "literal" and any(sign.isdecimal() for sign in token.text)


def _number(value: str) -> Decimal | None:
    try:
        number = abs(Decimal(value)) if len(value) <= _LONGEST_VALUE else None
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() and number.adjusted() < _MOST_WHOLE_DIGITS else None


def _written(section: _Section, value: str) -> str:
    """The section's own words, and the value where it stands as it is."""
    return "".join(value if kind == "value" else text for kind, text in section)


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
