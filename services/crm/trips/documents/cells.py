"""Rows of a workbook's sheets as a person sees them, for numbers that are written over several cells, or of which a
cell's or a chart's format writes a part.

Excel keeps each text once (ECMA-376 part 1, 18.4.9) and OpenDocument each run of like cells (part 3, 9.1.4), so that
the four cells of 5555 5555 5555 4444 are not to be found beside one another in the file.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from chassis.cards.detector import in_cells
from services.crm.trips.documents.cell_styles import (
    Formats,
    attribute,
    count,
    excel_formats,
    open_document_formats,
    read_xml,
)
from services.crm.trips.documents.charts import OfficeChart
from services.crm.trips.documents.number_formats import NumberFormat, Showing, serial

# Cells of a row that are looked at; one may say that it repeats a blank 16,384 times.
_MOST_CELLS: Final = 1_000
_MOST_REPEATED: Final = 20
_REPEATED: Final = "number-columns-repeated"
_SHEETS: Final = "xl/worksheets/"
_STRINGS: Final = "xl/sharedstrings.xml"
_EXCEL_STYLES: Final = "xl/styles.xml"
# Those of Word and PowerPoint too.
_EXCEL_CHARTS: Final = "/charts/"
# The document's own, and those of charts and sheets that are objects in it.
_OPEN_DOCUMENT: Final = "content.xml"
_OPEN_DOCUMENT_STYLES: Final = "styles.xml"
# Within a cell or a text: how it is computed, and how its characters are read aloud (phonetic runs).
_PASSED_OVER: Final = frozenset({"f", "rPh"})
# What a cell holds, as it says: in Excel a text, kept elsewhere ("s"), computed or in the cell; in OpenDocument.
_TEXTS: Final = frozenset({"s", "str", "inlineStr", "string"})
_NO_NUMBERS: Final = frozenset({"b", "e", "boolean"})
_DAYS: Final = frozenset({"d", "date", "time"})
_DEFAULT_STYLE: Final = "default-cell-style-name"


class _Cell(NamedTuple):
    """`kind`: what the cell says that it holds; `value`: the number, day or time behind what it shows, if it keeps
    both."""

    kind: str
    style: str
    text: str
    value: str = ""


class Sheets:
    """Takes an archive's parts in any order."""

    def __init__(self) -> None:
        self._showing = Showing()
        self._strings = b""
        self._excel_styles = b""
        self._parts: list[bytes] = []
        self._charts: list[bytes] = []
        self._open_styles: dict[str, bytes] = {}
        self._contents: dict[str, bytes] = {}

    def add(self, name: str, part: bytes) -> None:
        """A part by its name in small letters; what is no sheet is passed over."""
        folder, _, last = name.rpartition("/")
        if name == _STRINGS:
            self._strings = part
        elif name == _EXCEL_STYLES:
            self._excel_styles = part
        elif name.startswith(_SHEETS):
            self._parts.append(part)
        elif _EXCEL_CHARTS in name:
            self._charts.append(part)
        elif last == _OPEN_DOCUMENT_STYLES:
            self._open_styles[folder] = part
        elif last == _OPEN_DOCUMENT:
            self._contents[folder] = part

    @property
    def too_much(self) -> bool:
        """Whether formats write more than was looked at."""
        return self._showing.too_much

    def numbers_over_cells(self) -> Iterator[str]:
        """The rows, their cells parted by blanks, that hold a card number's groups in neighbouring cells; and what
        cells and charts show whose formats may write digits."""
        strings = [cell.text for row in _rows(self._strings, "sst", "si", "0") for cell in row]
        formats = excel_formats(self._excel_styles)
        for part in self._parts:
            of_sheet = replace(formats, in_sheet=OfficeChart(part).formats)
            for row in _rows(part, "row", "c", "0"):
                yield from self._row([_shared(strings, cell) for cell in row], of_sheet)
        for chart in map(OfficeChart, self._charts):
            yield from self._drawn(chart.values, chart.formats)
        for folder, content in self._contents.items():
            formats = open_document_formats(self._open_styles.get(folder, b""), content)
            if formats or _REPEATED.encode() in content:
                for row in _rows(content, "table-row", "table-cell", ""):
                    yield from self._row(row, formats)
                    yield from self._drawn([cell.value for cell in row], formats.of_chart)

    def _row(self, row: list[_Cell], formats: Formats) -> Iterator[str]:
        texts = [cell.text for cell in row]
        if in_cells(texts):
            yield " ".join(texts)
        if not formats or not any(formats.of(cell.style) for cell in row):
            return
        shown = [self._shown(cell, formats) for cell in row]
        yield from ("\n".join(each) for each in shown if each)
        as_shown = [(each or [text])[0] for each, text in zip(shown, texts, strict=True)]
        if in_cells(as_shown):
            yield " ".join(as_shown)

    def _shown(self, cell: _Cell, formats: Formats) -> list[str]:
        """The cell as each section of its formats shows it; empty where they write nothing of their own."""
        value = cell.value or cell.text
        if cell.kind in _DAYS:
            value = serial(value)
        if cell.kind in _NO_NUMBERS or not value:
            return []
        return self._showing.texts(value, formats.of(cell.style), is_text=cell.kind in _TEXTS)

    def _drawn(self, values: list[str], formats: NumberFormat) -> Iterator[str]:
        """What a chart may draw of its values."""
        for value in values if formats else ():
            yield from self._showing.texts(value, [formats], is_text=False)


def _shared(strings: list[str], cell: _Cell) -> _Cell:
    """The cell with the text that it names by its number."""
    if cell.kind != "s":
        return cell
    number = count(cell.text, len(strings), otherwise=len(strings))
    return cell._replace(text=strings[number] if number < len(strings) else "")


def _rows(part: bytes, row: str, cell: str, default_style: str) -> list[list[_Cell]]:
    """The cells of each row. As far as it is XML: that a part is none to its end is said by who reads its text."""
    reader = _Rows(row, cell, default_style)
    read_xml(part, reader)
    return reader.rows


def _without_namespaces(attributes: Mapping[str, str]) -> dict[str, str]:
    return {name.rpartition(":")[2]: value for name, value in attributes.items()}


class _Rows:
    def __init__(self, row: str, cell: str, default_style: str) -> None:
        self._row, self._cell, self._default_style = row, cell, default_style
        self._is_excel = row == "row"
        self._attributes, self._words, self._open = dict[str, str](), list[str](), False
        self._style_of_row, self._columns, self._column = "", list[str](), 0
        self.rows: list[list[_Cell]] = []

    def start(self, local: str, attributes: dict[str, str]) -> None:
        if local == self._cell:
            self._open, self._words = True, []
            self._attributes = attributes if self._is_excel else _without_namespaces(attributes)
        elif local == self._row:
            self.rows.append([])
            self._style_of_row, self._column = attribute(attributes, _DEFAULT_STYLE), 0
        elif local == "table":
            self._columns = []
        elif local == "table-column" and len(self._columns) < _MOST_CELLS:
            times = count(attribute(attributes, _REPEATED), _MOST_CELLS)
            self._columns += [attribute(attributes, _DEFAULT_STYLE)] * times
        elif local == "covered-table-cell":
            self._column += count(attribute(attributes, _REPEATED), _MOST_CELLS)
        elif local in _PASSED_OVER:
            self._open = False

    def word(self, text: str) -> None:
        if self._open:
            self._words.append(text)

    def end(self, local: str) -> None:
        if local == self._cell and self.rows:
            most = _MOST_CELLS if self._row != "sst" else len(self.rows[-1]) + 1
            times = 1 if self._is_excel else count(self._attributes.get(_REPEATED, ""), _MOST_CELLS)
            if len(self.rows[-1]) < most:
                self.rows[-1] += [self._read()] * min(times, _MOST_REPEATED)
            self._column += times
            self._open = False
        elif local in _PASSED_OVER:
            self._open = True

    def _read(self) -> _Cell:
        """The cell: Excel says `t` and `s`; OpenDocument has names, and styles of rows and columns for a cell without
        one of its own."""
        said = self._attributes.get
        style = said("s") or said("style-name") or self._style_of_row
        column = self._columns[self._column] if not style and self._column < len(self._columns) else ""
        return _Cell(
            kind=said("t") or said("value-type", ""),
            style=style or column or self._default_style,
            text="".join(self._words),
            value=said("value") or said("date-value") or said("time-value", ""),
        )
