"""Finds card numbers in text, however they are written: the one detector for fields, JSON, files and logs.

A card number is told from other long numbers by three things together: a beginning and a length that some network
issues (chassis.cards.networks), the check digit, and digits that stand together as people write a card's. So phones,
ticket and confirmation numbers, photos' names and times pass, whatever their check digit says.

Whatever is no letter and no digit may part the digits; whatever is no digit may stand beside the number. Time is
linear in the text's length: no pattern here can go back further than a constant.
"""

import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate, combinations, groupby, pairwise
from typing import Final

import phonenumbers

from chassis.cards.networks import LONGEST, SHORTEST, Brand, grouping, is_of_a_network, luhn_valid

# UUIDs, trace parents and hashes are our own; one UUID in 500 would pass for a card by chance.
_OPAQUE: Final = re.compile(
    r"(?<![0-9A-Za-z])(?:00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|[0-9a-f]{32,64})(?![0-9A-Za-z])"
)
# An account's number (ISO 13616); whether it is one its own check digits say.
_IBAN: Final = re.compile(
    r"(?<![0-9A-Za-z])[A-Za-z]{2}[0-9]{2}(?: ?[0-9A-Za-z]{4}){2,7}(?: ?[0-9A-Za-z]{1,3})?(?![0-9A-Za-z])"
)
# Countries whose account numbers are digits alone, as many as a card's may be (SWIFT's IBAN registry).
_ACCOUNT_DIGITS: Final = {
    **dict.fromkeys(("BE",), 12),
    **dict.fromkeys(("DK", "FI", "SD"), 14),
    **dict.fromkeys(("SI",), 15),
    **dict.fromkeys(("AT", "BA", "EE", "LT", "MN", "XK"), 16),
    **dict.fromkeys(("HR",), 17),
    **dict.fromkeys(("CR", "DE", "ME", "RS", "VA"), 18),
    **dict.fromkeys(("AE", "IL", "SO", "TL"), 19),
}
# Digits with letters that look like them, as typewriters had it and as people hide a number.
_LOOKING_ALIKE: Final = re.compile(r"(?<![0-9A-Za-z])[0-9OoIl]{2,}(?![0-9A-Za-z])")
_ALIKE: Final = str.maketrans("OoIl", "0011")
# A separator as a URL, HTML and quoted-printable carry it; "%41" is left alone, as it may be a percent sign before a
# number.
_ENCODED: Final = re.compile(
    r"%(?:20|2[bdefBDEF]|0[9adAD]|[cC]2%[aA]0)"
    r"|&(?:nbsp|ensp|emsp|thinsp|ndash|mdash|hyphen|shy|tab|#(?:9|32|45|160|820[1-9]|821[1-2]|8239|x20|x2d|xa0));"
    r"|=(?:20|2D|C2=A0)|</?[a-z]{1,5} ?/?>",
    re.IGNORECASE,
)
# How spreadsheets and JSON write a long number: 4.111111111111111E15.
_EXPONENT: Final = re.compile(r"(?<![0-9.])([0-9])[.,]([0-9]{10,18})[eE]\+?(1[1-8])(?![0-9])")
# Fields of fixed width, which old programs fill up with zeros.
_FILLED: Final = re.compile(r"(?<![0-9])0+(?=[0-9]{12,19}(?![0-9]))")
_WIDE: Final = 20
# Digits that nothing but separators part, twelve at least. A start that fails has looked at 11 digits at most.
_STRETCH: Final = re.compile(r"[0-9](?:[^0-9A-Za-z]{0,8}+[0-9]){11,}+")
_GROUP: Final = re.compile(r"[0-9]+")
_SPACES: Final = re.compile(r" +")
_MOST_MARKS_BETWEEN: Final = 3
# Twelve digits are as often a parcel's: only where Maestro alone is known to issue (each network's own list).
_TWELVE_DIGITS: Final = ("5018", "5020", "5038", "5893", "6304", "6759", "6761", "6762", "6763")
# The longest that E.164 allows.
_LONGEST_PHONE: Final = 15
# What parts columns and lines; and brackets, by which a person can say that a number is none (see the tripwire's help).
_NO_GAP_OF_ONE_NUMBER: Final = frozenset(",;\t\n|()")
# A ticket number with its check digit or its conjunction ticket (IATA Resolution 722).
_TICKETS: Final = frozenset({(3, 10, 1), (3, 10, 2)})
_AMERICAN_PHONE: Final = (3, 3, 4)
# As a spreadsheet shows a number: 4,111,111,111,111,111.
_IN_THOUSANDS: Final = frozenset({(1, 3, 3, 3, 3, 3), (3, 3, 3, 3, 3)})
_CENTS: Final = 2
_WHOLE_DIGITS: Final = 3
_FEWEST_ODDLY_GROUPED: Final = 15
_MOST_ODD_GROUPS: Final = 3


# Networks that print other groups than fours, by length.
_PRINTED: Final = {14: (Brand.DINERS,), 15: (Brand.AMEX, Brand.UATP)}


def _shapes() -> Iterator[tuple[int, ...]]:
    """The sizes of groups in which people write a card's digits: as printed, or with printed groups run together."""
    for length in range(SHORTEST, LONGEST + 1):
        yield (length,)
        for sizes in {grouping(brand, length) for brand in _PRINTED.get(length, ())} | {grouping(Brand.OTHER, length)}:
            yield from _run_together(sizes)
    # Visa of old.
    yield 4, 3, 3, 3


def _run_together(sizes: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """(4, 6, 5) -> itself, (10, 5), (4, 11), (15,)."""
    ends = list(accumulate(sizes))
    for count in range(len(ends)):
        for kept in combinations(ends[:-1], count):
            yield tuple(end - start for start, end in pairwise((0, *kept, ends[-1])))


@dataclass(slots=True)
class _Shape:
    """A step on the way through the shapes: what may come next, and whether one ends here."""

    whole: bool = False
    following: dict[int, "_Shape"] = field(default_factory=dict)


def _tree() -> _Shape:
    root = _Shape()
    for sizes in _shapes():
        at = root
        for size in sizes:
            at = at.following.setdefault(size, _Shape())
        at.whole = True
    return root


_SHAPES: Final = _tree()


class _Folding(dict[int, int]):
    """What a character counts as: a digit of any script as itself, a letter, a separator, or nothing at all."""

    _MOST: Final = 20_000

    def __missing__(self, code: int) -> int:
        folded = ord(_folded(chr(code)))
        if len(self) < self._MOST:
            self[code] = folded
        return folded


_NOTHING: Final = "\0"


def _folded(char: str) -> str:
    if (digit := unicodedata.digit(char, None)) is not None:
        return str(digit)
    match unicodedata.category(char):
        case "Cf" | "Mn" | "Me" | "Cc" if char not in "\t\n\r\v\f":
            return _NOTHING
        case "Zs":
            return " "
        case "Zl" | "Zp" | "Cc":
            return "\t" if char == "\t" else "\n"
        case "Pd":
            return "-"
        case "Lm" if char in "\u30fc\uff70":  # what Japanese keyboards give for a hyphen between digits
            return "-"
        case kind if kind[0] in "LNM" or kind in ("Co", "Cs", "Cn"):
            return "a"
        case _:
            return char if char.isascii() else "-" if char == "\N{MINUS SIGN}" else "*"


_FOLDING: Final = _Folding()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stretch:
    """Groups of digits and what stands between them. Offsets are into the folded text."""

    text: str
    starts: list[int]
    ends: list[int]
    groups: list[str]
    gaps: list[str]
    """One fewer than groups; spaces made one. "" = not to be read across."""

    def digits(self, first: int, last: int) -> str:
        return "".join(self.groups[first : last + 1])


class TooManyDigits(ValueError):
    """A text has more numbers than there is time to look through."""


def holds_card(text: str, *, most_digits: int = sys.maxsize) -> bool:
    """Whether the text holds what looks like a card number.

    Raises TooManyDigits when more than `most_digits` stand in stretches long enough for one: a twentieth of a second
    for 50,000. Digits between letters, as in base64, cost nothing.
    """
    plain, _ = _fold(text)
    spans = [found.span() for found in _STRETCH.finditer(plain)]
    if sum(end - start for start, end in spans) > most_digits:
        raise TooManyDigits
    return any(next(_in_stretch(_stretch(plain, *span)), None) for span in spans)


def find_cards(text: str) -> Iterator[tuple[int, int]]:
    """Where the text holds what looks like a card number: start and end of each, overlapping where in doubt."""
    plain, places = _fold(text)
    for found in _STRETCH.finditer(plain):
        for start, end in _in_stretch(_stretch(plain, *found.span())):
            yield (start, end) if places is None else (places[start], places[end - 1] + 1)


def redact_cards(text: str, mark: str) -> str:
    """The text with every such number replaced by `mark`."""
    kept, done = [], 0
    for start, end in sorted(find_cards(text)):
        if start >= done:
            kept += [text[done:start], mark]
        done = max(done, end)
    return "".join([*kept, text[done:]])


def _fold(text: str) -> tuple[str, list[int] | None]:
    """The text in few characters, and where each stood; None when each stands where it stood."""
    text = _OPAQUE.sub(lambda found: "a" * len(found.group()), text)
    text = _IBAN.sub(_no_account, text)
    text = _EXPONENT.sub(_whole_number, text)
    text = _LOOKING_ALIKE.sub(_in_digits, text)
    if not {"%", "&", "=", "<"}.isdisjoint(text):
        text = _ENCODED.sub(lambda found: " " * len(found.group()), text)
    plain = _FILLED.sub(_without_filling, text.translate(_FOLDING))
    if _NOTHING not in plain:
        return plain, None
    places = [place for place, char in enumerate(plain) if char != _NOTHING]
    return plain.replace(_NOTHING, ""), places


def _no_account(found: re.Match[str]) -> str:
    """Letters in place of an account's number; the text itself where the check digits (ISO 7064, 97-10) are wrong."""
    account = found.group().replace(" ", "").upper()
    digits = "".join(str(int(char, 36)) for char in account[4:] + account[:4])
    own = account[4:]
    a_card = len(own) != _ACCOUNT_DIGITS.get(account[:2]) and own.isdigit() and _is_card(own)
    return "a" * len(found.group()) if int(digits) % 97 == 1 and not a_card else found.group()


def _whole_number(found: re.Match[str]) -> str:
    """The digits with blanks behind them, as long as what stood there; the text itself where it has a fraction."""
    first, decimals, exponent = found.groups()
    whole = (first + decimals.rstrip("0")).ljust(int(exponent) + 1, "0")
    fits = len(whole) == int(exponent) + 1 and len(whole) <= len(found.group())
    return whole.ljust(len(found.group())) if fits else found.group()


def _without_filling(found: re.Match[str]) -> str:
    """Blanks for the zeros of a field wider than any card's number."""
    digits = found.string[found.start() : found.end() + LONGEST + 1]
    width = len(digits) - len(digits.lstrip("0123456789"))
    return " " * len(found.group()) if width >= _WIDE else found.group()


def _in_digits(found: re.Match[str]) -> str:
    """O as 0, l and I as 1, in what has a digit at all."""
    text = found.group()
    return text.translate(_ALIKE) if any(char.isdigit() for char in text) else text


def _stretch(plain: str, start: int, end: int) -> _Stretch:
    found = list(_GROUP.finditer(plain, start, end))
    starts, ends = [each.start() for each in found], [each.end() for each in found]
    return _Stretch(
        text=plain,
        starts=starts,
        ends=ends,
        groups=[each.group() for each in found],
        gaps=[_gap(plain[left:right]) for left, right in zip(ends, starts[1:], strict=False)],
    )


def _gap(between: str) -> str:
    gap = _SPACES.sub(" ", between)
    return gap if sum(char != " " for char in gap) <= _MOST_MARKS_BETWEEN else ""


def _in_stretch(stretch: _Stretch) -> Iterator[tuple[int, int]]:
    for first, last in (*_printed(stretch), *_single_digits(stretch), *_alike(stretch)):
        if not _is_phone(stretch, first, last):
            yield stretch.starts[first], stretch.ends[last]


def _printed(stretch: _Stretch) -> Iterator[tuple[int, int]]:
    """Groups as cards print them, anywhere among others ("room 12 4111 1111 1111 1111")."""
    for first in range(len(stretch.groups)):
        shape: _Shape | None = _SHAPES
        for last in range(first, len(stretch.groups)):
            shape = shape.following.get(len(stretch.groups[last])) if shape else None
            if shape is None:
                break
            if shape.whole and _is_written_as_card(stretch, first, last):
                yield first, last
            if last < len(stretch.gaps) and not stretch.gaps[last]:
                break


def _is_written_as_card(stretch: _Stretch, first: int, last: int) -> bool:
    digits = stretch.digits(first, last)
    if first == last:
        # Programs that fill a field up with zeros.
        filled = digits.lstrip("0")
        digits = filled if len(filled) >= _FEWEST_ODDLY_GROUPED else digits
    elif last == first + 1 and _are_two_of_a_list(stretch, first):
        return False
    return _is_card(digits) and not _is_amount(stretch, first, last)


def _are_two_of_a_list(stretch: _Stretch, first: int) -> bool:
    """ "56859744, 48799244": nobody parts a card's digits into halves by a comma or a line's end."""
    alike = len(stretch.groups[first]) == len(stretch.groups[first + 1])
    return alike and bool(_NO_GAP_OF_ONE_NUMBER & set(stretch.gaps[first]))


def _single_digits(stretch: _Stretch) -> Iterator[tuple[int, int]]:
    """ "4 1 1 1 - 1 1 1 1 …"; not the columns of a table."""
    first = 0
    for at in range(len(stretch.groups)):
        if len(stretch.groups[at]) > 1:
            first = at + 1
            continue
        goes_on = at < len(stretch.gaps) and len(stretch.groups[at + 1]) == 1 and _joins(stretch.gaps[at])
        if goes_on:
            continue
        if SHORTEST < at - first + 1 <= LONGEST and _is_card(stretch.digits(first, at)):
            yield first, at
        first = at + 1


def _joins(gap: str) -> bool:
    return bool(gap) and not ({",", ";"} & set(gap))


def _alike(stretch: _Stretch) -> Iterator[tuple[int, int]]:
    """Groups of other sizes, when they are all that stands together, parted by one and the same separator."""
    gaps = stretch.gaps
    for gap, places in groupby(range(len(gaps)), key=lambda at: gaps[at]):
        at = list(places)
        first, last = at[0], at[-1] + 1
        if not gap or last - first >= LONGEST:
            continue
        sizes = tuple(len(group) for group in stretch.groups[first : last + 1])
        if _NO_GAP_OF_ONE_NUMBER & set(gap) and sizes not in _IN_THOUSANDS:
            continue
        if _may_be_one_number(sizes, gap) and _is_card(digits := stretch.digits(first, last)) and digits[0] != "1":
            yield first, last


def _may_be_one_number(sizes: tuple[int, ...], gap: str) -> bool:
    if sizes in _TICKETS or sizes[:3] == _AMERICAN_PHONE or (gap == "." and len(sizes) == 2):
        return False
    if sizes in _IN_THOUSANDS or (len(set(sizes[:-1])) == 1 and sizes[-1] <= sizes[0]):
        return True
    return len(sizes) <= _MOST_ODD_GROUPS and sum(sizes) >= _FEWEST_ODDLY_GROUPED


def _is_card(digits: str) -> bool:
    if len(digits) == SHORTEST and not digits.startswith(_TWELVE_DIGITS):
        return False
    return is_of_a_network(digits) and luhn_valid(digits)


def _is_amount(stretch: _Stretch, first: int, last: int) -> bool:
    """Whether the last digits stand behind a decimal point: 0.4111111111111111, 43.7101728571428, 4111 1111 1111.10."""
    if first != last:
        gap = stretch.gaps[last - 1]
        return len(stretch.groups[last]) <= _CENTS and gap in (".", ",") and gap != stretch.gaps[first]
    if first == 0 or stretch.gaps[first - 1] != "." or (first > 1 and stretch.gaps[first - 2] == "."):
        return False
    whole = stretch.groups[first - 1]
    return whole == "0" or (len(whole) <= _WHOLE_DIGITS and len(stretch.groups[first]) < _FEWEST_ODDLY_GROUPED)


def _is_phone(stretch: _Stretch, first: int, last: int) -> bool:
    """Whether it is written as an international telephone number, and one that can be dialled."""
    digits = stretch.digits(first, last)
    before = stretch.text[max(0, stretch.starts[first] - 3) : stretch.starts[first]].rstrip(" (")
    if len(digits) > _LONGEST_PHONE or not before.endswith("+"):
        return False
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(f"+{digits}"))
    except phonenumbers.NumberParseException:
        return False
