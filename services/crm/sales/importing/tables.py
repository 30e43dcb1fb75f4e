"""A file as a table: its text in the right encoding, its separator, its header. Pure.

Excel writes CSV in the encoding of the machine (Windows-1252 in the West), as UTF-8 with a mark, or as UTF-16 ("Unicode
text"), with the list separator of the country; all of these are read.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.crm.core.csv_cells import as_typed
from services.crm.sales.clients.rules import LIST_TITLES
from services.crm.sales.importing.vcards import HEADER, looks_like_vcards, read_vcards

ENCODINGS: Final = {
    "utf-8": "UTF-8",
    "cp1252": "Western (Windows)",
    "cp1250": "Central European (Windows)",
    "cp1251": "Cyrillic (Windows)",
    "mac_roman": "Western (Mac)",
    "utf-16": "Unicode text (UTF-16)",
}
SEPARATORS: Final = {",": "Comma", ";": "Semicolon", "\t": "Tab", "|": "Bar"}
MOST_ROWS: Final = 100_000
MOST_COLUMNS: Final = 200
_LONGEST_CELL: Final = 20_000
_SAMPLE_ROWS: Final = 40
# What the file of refused rows has before the columns of the file that they came from.
REFUSED_TITLES: Final = ("Row", "Why it was refused")


class NotATable(ValueError):
    """A file that can't be read as a list; the message is for the person who chose it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a file is to be read. `separator` is empty for vCards."""

    encoding: str
    separator: str
    has_header: bool

    @property
    def is_vcards(self) -> bool:
        return not self.separator


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The columns' names and the rows, each as long as the header. Rows count from `first_row` as in a spreadsheet."""

    header: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    first_row: int


def guess_layout(content: bytes) -> Layout:
    """How the file is most likely to be read. Raises NotATable for a file that is no list."""
    encoding = _guess_encoding(content)
    text = _decoded(content, encoding)
    if "\x00" in text or not text.strip():
        raise NotATable("This file is empty or no list of clients. Choose a .csv or .vcf file.")
    if looks_like_vcards(text):
        return Layout(encoding=encoding, separator="", has_header=True)
    separator = _guess_separator(text)
    rows = _rows(text, separator, most=_SAMPLE_ROWS)
    return Layout(encoding=encoding, separator=separator, has_header=_is_header(rows[0]) if rows else False)


def read_table(content: bytes, layout: Layout) -> Table:
    """The whole table. Raises NotATable where the layout does not fit or there is too much of it."""
    text = _decoded(content, layout.encoding)
    if layout.is_vcards:
        rows = read_vcards(text)
        if not rows:
            raise NotATable("There is no whole contact in this file. Export your contacts again, as vCards.")
        return Table(header=HEADER, rows=_bounded(rows), first_row=1)
    rows = _rows(text, layout.separator)
    width = max((len(row) for row in rows), default=0)
    if width > MOST_COLUMNS:
        raise NotATable(f"There are more than {MOST_COLUMNS} columns. Leave out those that you don't need.")
    named = rows.pop(0) if layout.has_header and rows else []
    header = tuple(name.strip() or f"Column {at + 1}" for at, name in enumerate([*named, *[""] * (width - len(named))]))
    read = as_typed if _is_ours(named) else str
    filled = [[*map(read, row), *[""] * (width - len(row))] for row in rows]
    return Table(header=header, rows=_bounded(filled), first_row=2 if layout.has_header else 1)


def _is_ours(titles: Sequence[str]) -> bool:
    """Whether a file is one that we wrote, by its first row: the list of clients, or rows that were refused. There,
    and nowhere else, an apostrophe may be ours (core/csv_cells)."""
    return sorted(titles) == sorted(LIST_TITLES) or tuple(titles[:2]) == REFUSED_TITLES


def _bounded(rows: list[list[str]]) -> list[list[str]]:
    if len(rows) > MOST_ROWS:
        raise NotATable(f"There are more than {MOST_ROWS:,} rows. Split the file and import its parts one by one.")
    return rows


def _guess_encoding(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _decoded(content: bytes, encoding: str) -> str:
    if encoding not in ENCODINGS:
        raise NotATable("Choose one of the encodings.")
    try:
        # Five bytes of Windows-1252 mean nothing; they become what marks an unreadable character.
        text = content.decode(encoding, "strict" if encoding.startswith("utf") else "replace")
    except (UnicodeDecodeError, UnicodeError):
        raise NotATable(f"This file is not in {ENCODINGS[encoding]}. Choose another encoding.") from None
    return text.removeprefix("\ufeff")


def _guess_separator(text: str) -> str:
    first = text[: text.find("\n") if "\n" in text else len(text)].strip()
    # Excel's own hint in the first line.
    if first.lower().startswith("sep=") and len(first) == 5 and first[4] in SEPARATORS:
        return first[4]
    return max(SEPARATORS, key=lambda each: _fits(_rows(text, each, most=_SAMPLE_ROWS)))


def _fits(rows: list[list[str]]) -> tuple[int, int]:
    """How many rows have as many cells as the first, and how many cells that are: one alone separates nothing."""
    width = len(rows[0]) if rows else 0
    return (sum(len(row) == width for row in rows) if width > 1 else 0, width)


def _rows(text: str, separator: str, *, most: int = MOST_ROWS + 2) -> list[list[str]]:
    """The rows that are not empty. Raises NotATable where quotes never end."""
    csv.field_size_limit(_LONGEST_CELL * 4)
    found: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            if any(cell.strip() for cell in row) and not _is_hint(row, separator, found):
                found.append([cell[:_LONGEST_CELL] for cell in row])
            if len(found) >= most:
                break
    except csv.Error:
        raise NotATable("A cell of this file never ends: a quotation mark is missing. Save it as CSV again.") from None
    return found


def _is_hint(row: list[str], separator: str, found: list[list[str]]) -> bool:
    return not found and separator.join(row).lower() == f"sep={separator}"


def _is_header(row: list[str]) -> bool:
    """A first row that names columns holds no addresses, numbers or days."""
    return not any("@" in cell or sum(char.isdigit() for char in cell) > 3 for cell in row)
