"""A file as a table: its text in the right encoding, its separator, its header. Pure.

Excel writes CSV in the encoding of the machine (Windows-1252 in the West), as UTF-8 with a mark, or as UTF-16 ("Unicode
text"), with the list separator of the country; all of these are read.
"""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median_high
from typing import Final

from chassis.typed.text import encoding_by_mark
from services.crm.core.csv_cells import as_typed
from services.crm.sales.clients.rules import LIST_TITLES
from services.crm.sales.importing.columns import is_known
from services.crm.sales.importing.vcards import HEADER, lines_of, looks_like_vcards, read_vcards

ENCODINGS: Final = {
    "utf-8": "UTF-8",
    "cp1252": "Western (Windows)",
    "cp1250": "Central European (Windows)",
    "cp1251": "Cyrillic (Windows)",
    "mac_roman": "Western (Mac)",
    "cp932": "Japanese (Windows)",
    "gb18030": "Chinese (GB 18030)",
    "cp949": "Korean (Windows)",
    "utf-16": "Unicode text (UTF-16)",
    "utf-16-be": "Unicode text (UTF-16), high byte first",
}
SEPARATORS: Final = {",": "Comma", ";": "Semicolon", "\t": "Tab", "|": "Bar"}
MOST_ROWS: Final = 100_000
MOST_COLUMNS: Final = 200
# Among so many rows the one is looked for that names the columns.
MOST_ROWS_ABOVE: Final = 20
_ENOUGH_NAMES: Final = 2
_LONGEST_CELL: Final = 20_000
_SAMPLE_ROWS: Final = 40
# What the file of refused rows has before the columns of the file that they came from.
REFUSED_TITLES: Final = ("Row", "Why it was refused")
# Files that are chosen in a list's place, by what they begin with.
_NO_LISTS: Final = (
    ((b"PK\x03\x04", b"\xd0\xcf\x11\xe0"), "This is a workbook. Open it, save its sheet as CSV, and choose that file."),
    ((b"%PDF-",), "This is a PDF. Export the list as CSV where it comes from, and choose that file."),
    ((b"<",), "This is a web page or XML, whatever its name says. Open it, save it as CSV, and choose that file."),
    ((b"{", b"[{"), "This is JSON. Export the list as CSV where it comes from, and choose that file."),
)
# What other programs write so that Excel makes no number of it: ="02840".
_TEXT_FORMULA: Final = re.compile(r'="([^"]*)"')


_Numbered = tuple[int, list[str]]


class NotATable(ValueError):
    """A file that can't be read as a list; the message is for the person who chose it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a file is to be read. `separator` is empty for vCards. `header`: the row that names the columns, counted as
    in a spreadsheet, or the first one behind it that is not blank; those above it are left out. 0 = none."""

    encoding: str
    separator: str
    header: int

    @property
    def is_vcards(self) -> bool:
        return not self.separator


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The columns' names and the rows, each as long as the header. Rows count from `first_row` as in a spreadsheet.
    `beginning`: the file's first rows as they stand, by number, to choose the one that names the columns."""

    header: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    first_row: int
    beginning: Mapping[int, Sequence[str]] = field(default_factory=dict)


def guess_layout(content: bytes) -> Layout:
    """How the file is most likely to be read. Raises NotATable for a file that is no list."""
    for beginnings, words in _NO_LISTS:
        if content.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(beginnings):
            raise NotATable(words)
    encoding = _guess_encoding(content)
    text = _decoded(content, encoding)
    if "\x00" in text or not text.strip():
        raise NotATable("This file is empty or no list of clients. Choose a .csv or .vcf file.")
    if looks_like_vcards(text):
        return Layout(encoding=encoding, separator="", header=0)
    separator = _guess_separator(text)
    rows = _rows(text, separator, most=_SAMPLE_ROWS)
    return Layout(encoding=encoding, separator=separator, header=_guess_header(rows))


def read_table(content: bytes, layout: Layout) -> Table:
    """The whole table. Raises NotATable where the layout does not fit or there is too much of it."""
    text = _decoded(content, layout.encoding)
    if layout.is_vcards:
        rows = read_vcards(text)
        if not rows:
            raise NotATable("There is no whole contact in this file. Export your contacts again, as vCards.")
        return Table(header=HEADER, rows=_bounded(rows), first_row=1)
    numbered = _rows(text, layout.separator)
    above = [row for number, row in numbered if number < layout.header]
    named, first_row, rows = [""], 1, [row for _, row in numbered[len(above) :]]
    if layout.header and rows:
        named, first_row = rows.pop(0), numbered[len(above)][0] + 1
    width = max(map(len, (named, *rows)))
    if width > MOST_COLUMNS:
        raise NotATable(f"There are more than {MOST_COLUMNS} columns. Leave out those that you don't need.")
    header = tuple(name.strip() or f"Column {at + 1}" for at, name in enumerate([*named, *[""] * (width - len(named))]))
    read = as_typed if _is_ours(named) else _as_shown
    filled = [[*map(read, row), *[""] * (width - len(row))] for row in rows]
    return Table(header=header, rows=_bounded(filled), first_row=first_row, beginning=dict(numbered[:MOST_ROWS_ABOVE]))


def beside_the_rows(content: bytes, layout: Layout, table: Table) -> Iterator[str]:
    """What stands in the file and in no row of its table: columns' names and what is above them; of contacts also what
    is not understood."""
    yield from table.header
    yield from (cell for number, row in table.beginning.items() if number < layout.header for cell in row)
    if layout.is_vcards:
        yield from lines_of(_decoded(content, layout.encoding))


def _as_shown(cell: str) -> str:
    """A cell as a spreadsheet shows it."""
    found = _TEXT_FORMULA.fullmatch(cell)
    return found[1] if found else cell


def _is_ours(titles: Sequence[str]) -> bool:
    """Whether a file is one that we wrote, by its first row: the list of clients, or rows that were refused. There,
    and nowhere else, an apostrophe may be ours (core/csv_cells)."""
    return sorted(titles) == sorted(LIST_TITLES) or tuple(titles[:2]) == REFUSED_TITLES


def _bounded(rows: list[list[str]]) -> list[list[str]]:
    if len(rows) > MOST_ROWS:
        raise NotATable(f"There are more than {MOST_ROWS:,} rows. Split the file and import its parts one by one.")
    return rows


def _guess_encoding(content: bytes) -> str:
    if encoding_by_mark(content) == "utf-16":
        return "utf-16"
    # Without its mark: every other byte of Latin letters is nought.
    sample = content[:2_000]
    for encoding, first in (("utf-16", 1), ("utf-16-be", 0)):
        if len(sample) > 3 and sample[first::2].count(0) * 2 > len(sample[first::2]):
            return encoding
    return "utf-8" if _is_utf8(content) else "cp1252"


def _is_utf8(content: bytes) -> bool:
    """Whether it is UTF-8, also where a few letters were pasted into it in Windows' encoding."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        good = sum(not char.isascii() for char in content.decode("utf-8", "ignore"))
        return good > content.decode("utf-8", "replace").count("\ufffd")
    return True


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("as-windows", _as_windows)


def _decoded(content: bytes, encoding: str) -> str:
    if encoding not in ENCODINGS:
        raise NotATable("Choose one of the encodings.")
    # Five bytes of Windows-1252 mean nothing; they become what marks an unreadable character.
    errors = "strict" if encoding.startswith("utf") else "replace"
    if encoding == "utf-8" and _is_utf8(content):
        errors = "as-windows"
    try:
        text = content.decode(encoding, errors)
    except (UnicodeDecodeError, UnicodeError):
        raise NotATable(f"This file is not in {ENCODINGS[encoding]}. Choose another encoding.") from None
    # Old programs end a file with Ctrl+Z or noughts.
    return text.lstrip("\ufeff").rstrip("\x00\x1a")


def _guess_separator(text: str) -> str:
    first = text[: text.find("\n") if "\n" in text else len(text)].strip()
    # Excel's own hint in the first line.
    if first.lower().startswith("sep=") and len(first) == 5 and first[4] in SEPARATORS:
        return first[4]
    return max(SEPARATORS, key=lambda each: _fits(_rows(text, each, most=_SAMPLE_ROWS)))


def _fits(rows: list[_Numbered]) -> tuple[int, int]:
    """How many rows have as many cells as most have, and how many cells that are: one alone separates nothing. Titles
    above the list have cells of their own number."""
    widths = Counter(len(row) for _, row in rows if len(row) > 1)
    return max(((count, width) for width, count in widths.items()), default=(0, 0))


def _rows(text: str, separator: str, *, most: int = MOST_ROWS + 2) -> list[_Numbered]:
    """The rows that are not blank, numbered as in a spreadsheet. Raises NotATable where quotes never end."""
    csv.field_size_limit(_LONGEST_CELL * 4)
    found: list[_Numbered] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    row_begins, last_begins, number = 0, 0, 0
    try:
        for row in reader:
            row_begins, last_begins, number = reader.line_num, row_begins, number + 1
            if _is_hint(row, separator, found):
                number -= 1
            elif any(cell.strip() for cell in row):
                found.append((number, [cell[:_LONGEST_CELL] for cell in row]))
            if len(found) >= most:
                return found
        if found and _never_ends(text, separator, last_begins):
            raise csv.Error
    except csv.Error:
        raise NotATable("A cell of this file never ends: a quotation mark is missing. Save it as CSV again.") from None
    return found


def _never_ends(text: str, separator: str, begins: int) -> bool:
    """Whether the row that begins in this line, the last one, has a quotation mark without its other."""
    lines = list(io.StringIO(text, newline=""))[begins:]
    try:
        list(csv.reader(lines, delimiter=separator, strict=True))
    except csv.Error as error:
        return "end of data" in str(error)
    return False


def _is_hint(row: list[str], separator: str, found: list[_Numbered]) -> bool:
    return not found and separator.join(row).lower() == f"sep={separator}"


def _guess_header(rows: list[_Numbered]) -> int:
    """The row that names the columns; 0 where none does. Titles, dates and blank rows may stand above it."""
    begin = rows[:MOST_ROWS_ABOVE]
    filled = [sum(bool(cell.strip()) for cell in row) for _, row in rows]
    usual = median_high(filled) if filled else 0
    enough = min(_ENOUGH_NAMES, usual)
    known = (number for number, row in begin if _is_header(row) and sum(map(is_known, row)) >= enough)
    if found := next(known, 0):
        return found
    for count, (number, row) in zip(filled, begin, strict=False):
        # A title fills a cell or two where the list fills a row.
        if count > 1 and 2 * count >= usual and _is_header(row):
            return number
        if count >= usual:
            break
    return next((number for number, row in begin[:1] if _is_header(row)), 0)


def _is_header(row: list[str]) -> bool:
    """A first row that names columns holds no addresses, numbers or days."""
    return not any("@" in cell or sum(char.isdigit() for char in cell) > 3 for cell in row)
