"""Rows of a workbook's sheets as a person sees them, for numbers that are written over several cells.

Excel keeps each text once (ECMA-376 part 1, 18.4.9) and OpenDocument each run of like cells (part 3, 9.1.4), so that
the four cells of 5555 5555 5555 4444 are not to be found beside one another in the file.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final
from xml.parsers import expat

from chassis.cards.detector import in_cells

# Cells of a row that are looked at; one may say that it repeats a blank 16,384 times.
_MOST_CELLS: Final = 1_000
_MOST_REPEATED: Final = 20
_REPEATED: Final = "number-columns-repeated"
_SHEETS: Final = "xl/worksheets/"
_STRINGS: Final = "xl/sharedstrings.xml"
_OPEN_DOCUMENT: Final = "content.xml"
# Within a cell or a text: how it is computed, and how its characters are read aloud (phonetic runs).
_PASSED_OVER: Final = frozenset({"f", "rPh"})


class Sheets:
    """Takes an archive's parts in any order."""

    def __init__(self) -> None:
        self._strings = b""
        self._parts: list[bytes] = []

    def add(self, name: str, part: bytes) -> None:
        """A part by its name in small letters; what is no sheet is passed over."""
        if name == _STRINGS:
            self._strings = part
        elif name.startswith(_SHEETS) or (name == _OPEN_DOCUMENT and _REPEATED.encode() in part):
            self._parts.append(part)

    def numbers_over_cells(self) -> Iterator[str]:
        """The rows, their cells parted by blanks, that hold a card number's groups in neighbouring cells."""
        strings = [text for row in _rows(self._strings, "sst", "si") for _, text in row]
        for part in self._parts:
            for row in _rows(part, "row", "c") or _rows(part, "table-row", "table-cell"):
                cells = [_shared(strings, text) if shared else text for shared, text in row]
                if in_cells(cells):
                    yield " ".join(cells)


def _shared(strings: list[str], number: str) -> str:
    return strings[int(number)] if number.isdecimal() and int(number) < len(strings) else ""


def _rows(part: bytes, row: str, cell: str) -> list[list[tuple[bool, str]]]:
    """The cells of each row: whether a cell names a shared text by its number, and what stands in it. As far as it is
    XML: that a part is none to its end is said by who reads its text."""
    reader = _Rows(row, cell)
    with suppress(expat.ExpatError, ValueError, LookupError):
        reader.read(part)
    return reader.rows


class _Rows:
    def __init__(self, row: str, cell: str) -> None:
        self._row, self._cell = row, cell
        self._shared, self._times, self._words, self._open = False, 1, list[str](), False
        self.rows: list[list[tuple[bool, str]]] = []

    def read(self, part: bytes) -> None:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._word
        parser.EntityDeclHandler = refuse_entities
        parser.Parse(part, True)  # noqa: FBT003

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local == self._row:
            self.rows.append([])
        elif local == self._cell:
            self._open, self._words, self._shared = True, [], attributes.get("t") == "s"
            times = next((value for key, value in attributes.items() if key.endswith(_REPEATED)), "1")
            self._times = min(int(times), _MOST_REPEATED) if times.isdecimal() else 1
        elif local in _PASSED_OVER:
            self._open = False

    def _word(self, text: str) -> None:
        if self._open:
            self._words.append(text)

    def _end(self, name: str) -> None:
        local = name.rpartition(":")[2]
        if local == self._cell and self.rows:
            most = _MOST_CELLS if self._row != "sst" else len(self.rows[-1]) + 1
            if len(self.rows[-1]) < most:
                self.rows[-1] += [(self._shared, "".join(self._words))] * self._times
            self._open = False
        elif local in _PASSED_OVER:
            self._open = True


def refuse_entities(*_: Any) -> None:  # Any: expat's arguments
    """Raises ValueError: entities of a document's own multiply."""
    raise ValueError("entities")
