"""Finds card numbers in text, however they are written: the one detector for fields, JSON, files and logs.

A card number is told from other long numbers by three things together: a beginning and a length that some network
issues (chassis.cards.networks), the check digit, and digits that stand together as people write a card's. So phones,
ticket and confirmation numbers, photos' names and times pass, whatever their check digit says.

Whatever is no letter and no digit may part the digits, and letters where they stand as separators do; whatever is no
digit may stand beside the number, and an expiry date be run on behind it (chassis.cards.folding makes all of it alike).
Time is linear in the text's length: no pattern here can go back further than a constant.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, combinations, groupby, pairwise
from typing import Final

import phonenumbers

from chassis.cards.folding import fold, is_card
from chassis.cards.networks import LONGEST, SHORTEST, Brand, grouping

# The expiry date run on behind the number: its year, and what stands before that.
_YEAR: Final = re.compile(r"(?:20)?[2-4][0-9]")
_MONTH: Final = re.compile(r"0[1-9]|1[0-2]")
_BEFORE_A_YEAR: Final = frozenset("/-.")
# Numbers of so many digits have the whole date behind them, too, with nothing in between.
_USUAL: Final = (15, 16)
# Digits that nothing but separators part, twelve at least. A start that fails has looked at 11 digits at most.
_STRETCH: Final = re.compile(r"[0-9](?:[^0-9A-Za-z]{0,8}+[0-9]){11,}+")
_GROUP: Final = re.compile(r"[0-9]+")
_SPACES: Final = re.compile(r" +")
_MOST_MARKS_BETWEEN: Final = 3
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
# A cell with a part of a number alone: four of a card's groups of four stand in three cells at least.
_CELL: Final = re.compile(r"[0-9](?: ?[0-9]){0,8}")
_LIKELY_CELL: Final = re.compile(r"[\W\d_]++")
_LONGEST_CELL: Final = 20
_FEWEST_CELLS: Final = 3
# A phone of America and a ZIP code, which would be an American Express card's groups.
_PHONE_AND_ZIP: Final = (10, 5)


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
    plain, _ = fold(text)
    spans = [found.span() for found in _STRETCH.finditer(plain)]
    if sum(end - start for start, end in spans) > most_digits:
        raise TooManyDigits
    return any(next(_in_stretch(_stretch(plain, *span)), None) for span in spans)


def in_cells(cells: Sequence[str]) -> bool:
    """Whether neighbouring cells of a table hold the groups of a card number, three of them at least: two long numbers
    side by side, a phone and a ZIP code, are none."""
    runs = (list(run) for likely, run in groupby(cells, key=_is_part) if likely)
    return any(_runs_hold_card(run) for run in runs if len(run) >= _FEWEST_CELLS)


def _is_part(cell: str) -> bool:
    """Quickly, before its digits are folded: lists have millions of cells."""
    return len(cell) <= _LONGEST_CELL and not cell.isalpha() and _LIKELY_CELL.fullmatch(cell) is not None


def _runs_hold_card(cells: Sequence[str]) -> bool:
    groups = [plain if _CELL.fullmatch(plain := fold(cell)[0].strip()) else "" for cell in cells]
    runs = (list(run) for filled, run in groupby(groups, key=bool) if filled)
    return any(holds_card(" ".join(run)) for run in runs if len(run) >= _FEWEST_CELLS)


def find_cards(text: str) -> Iterator[tuple[int, int]]:
    """Where the text holds what looks like a card number: start and end of each, overlapping where in doubt."""
    plain, places = fold(text)
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
    parted = _without_expiry(stretch)
    if len(parted.groups) > len(stretch.groups):
        yield from ((parted.starts[first], parted.ends[last]) for first, last in _printed(parted))


def _without_expiry(stretch: _Stretch) -> _Stretch:
    """The stretch with each expiry date that was run on parted from its number: "411111111111111112/28" and
    "41111111111111111228" are a number, a month and a year."""
    starts, ends, gaps = list[int](), list[int](), list[str]()
    for at, group in enumerate(stretch.groups):
        start, end = stretch.starts[at], stretch.ends[at]
        if date := _date_behind(stretch, at, group):
            starts.append(start)
            ends.append(end - date)
            gaps.append(" ")
            start = end - date
        starts.append(start)
        ends.append(end)
        gaps += stretch.gaps[at : at + 1]
    groups = [stretch.text[start:end] for start, end in zip(starts, ends, strict=True)]
    return _Stretch(text=stretch.text, starts=starts, ends=ends, groups=groups, gaps=gaps)


def _date_behind(stretch: _Stretch, at: int, group: str) -> int:
    """How many of the group's last digits are an expiry date, or the month of one; 0 where none are."""
    whole = len(group) - 4 in _USUAL and _MONTH.fullmatch(group[-4:-2]) and _YEAR.fullmatch(group[-2:])
    if whole and is_card(group[:-4]):
        return 4
    year_follows = (
        at < len(stretch.gaps)
        and stretch.gaps[at] in _BEFORE_A_YEAR
        and _YEAR.fullmatch(stretch.groups[at + 1])
        and _MONTH.fullmatch(group[-2:])
    )
    return 2 if year_follows and len(group) > 2 else 0


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
    return is_card(digits) and not _is_amount(stretch, first, last)


def _are_two_of_a_list(stretch: _Stretch, first: int) -> bool:
    """ "56859744, 48799244" and "3475550123,11200": nobody parts a card's digits so by a comma or a line's end."""
    sizes = len(stretch.groups[first]), len(stretch.groups[first + 1])
    usual = sizes[0] == sizes[1] or sizes == _PHONE_AND_ZIP
    return usual and bool(_NO_GAP_OF_ONE_NUMBER & set(stretch.gaps[first]))


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
        if SHORTEST < at - first + 1 <= LONGEST and is_card(stretch.digits(first, at)):
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
        if _may_be_one_number(sizes, gap) and is_card(digits := stretch.digits(first, last)) and digits[0] != "1":
            yield first, last


def _may_be_one_number(sizes: tuple[int, ...], gap: str) -> bool:
    if sizes in _TICKETS or sizes[:3] == _AMERICAN_PHONE or (gap == "." and len(sizes) == 2):
        return False
    if sizes in _IN_THOUSANDS or (len(set(sizes[:-1])) == 1 and sizes[-1] <= sizes[0]):
        return True
    return len(sizes) <= _MOST_ODD_GROUPS and sum(sizes) >= _FEWEST_ODDLY_GROUPED


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
