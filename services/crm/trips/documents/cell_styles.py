"""Which cells of a workbook have a number format that may write digits of its own, by the names of their styles."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final
from xml.parsers import expat

from services.crm.trips.documents.number_formats import NumberFormat, escaped

_Attributes = Mapping[str, str]
# More places than a card number has digits are none that it could stand in.
_MOST_PLACES: Final = 20
_DATA_STYLES: Final = frozenset(
    {"number-style", "currency-style", "percentage-style", "text-style", "date-style", "time-style"}
)
# What OpenDocument calls the parts of a day, and a format's code in its short and its long form.
_OF_DAYS: Final = {
    "year": ("yy", "yyyy"),
    "month": ("m", "mm"),
    "day": ("d", "dd"),
    "day-of-week": ("ddd", "dddd"),
    "hours": ("h", "hh"),
    "minutes": ("m", "mm"),
    "seconds": ("s", "ss"),
    "am-pm": ("AM/PM", "AM/PM"),
}
_TIMES: Final = frozenset({"hours", "minutes", "seconds"})
# In a cell's style, and as LibreOffice writes them for a range of cells.
_CONDITIONS: Final = frozenset({"map", "condition"})
_NUMBERS: Final = frozenset({"number", "scientific-number", "fraction"})
_TEXTS: Final = frozenset({"text", "currency-symbol"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Formats:
    """Formats that may write digits of their own: by the cell's style, those that a condition may give to any cell of
    the workbook or of a sheet, and those of a chart's labels and axes."""

    by_style: Mapping[str, NumberFormat] = field(default_factory=dict)
    on_condition: NumberFormat = field(default_factory=NumberFormat)
    in_sheet: NumberFormat = field(default_factory=NumberFormat)
    of_chart: NumberFormat = field(default_factory=NumberFormat)

    def __bool__(self) -> bool:
        return any((self.by_style, self.on_condition, self.in_sheet, self.of_chart))

    def of(self, style: str) -> list[NumberFormat]:
        """Those in which a cell of this style may be shown."""
        own = self.by_style.get(style)
        return [each for each in (own, self.on_condition, self.in_sheet) if each]


def excel_formats(styles: bytes) -> Formats:
    """By the number that a cell names (ECMA-376 part 1, 18.8.10), and of differential formats (18.8.14)."""
    reader = _ExcelStyles()
    read_xml(styles, reader)
    made = {number: NumberFormat(code) for number, code in reader.codes.items()}
    return Formats(
        by_style={str(at): made[number] for at, number in enumerate(reader.cells) if made.get(number)},
        on_condition=NumberFormat(*reader.on_condition),
    )


def open_document_formats(*parts: bytes) -> Formats:
    """By the name of a cell's style, its parents' too (OpenDocument part 3, 16.2), and of styles that a condition
    applies."""
    reader = _OpenDocumentStyles()
    for part in parts:
        read_xml(part, reader)
    alone = {name: NumberFormat("".join(code)) for name, code in reader.codes.items()}
    # Each with those which it becomes on a condition.
    made = {
        name: NumberFormat(others=[alone[each] for each in (name, *reader.maps.get(name, [])) if each in alone])
        for name in alone
    }
    applied = dict.fromkeys(reader.data_style(name) for name in reader.applied)
    return Formats(
        by_style={name: made[data] for name in reader.cells if made.get(data := reader.data_style(name))},
        on_condition=NumberFormat(others=[made[data] for data in applied if data in made]),
        of_chart=NumberFormat(others=[made[data] for data in reader.of_charts if data in made]),
    )


def read_xml(part: bytes, reader: Any) -> None:  # Any: has start, end and word
    """Hands a part to the reader by its elements' local names, as far as it is XML: that a part is none to its end is
    said by who reads its text."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = lambda name, attributes: reader.start(name.rpartition(":")[2], attributes)
    parser.EndElementHandler = lambda name: reader.end(name.rpartition(":")[2])
    parser.CharacterDataHandler = reader.word
    parser.EntityDeclHandler = refuse_entities
    with suppress(expat.ExpatError, ValueError, LookupError):
        parser.Parse(part, True)  # noqa: FBT003


def refuse_entities(*_: Any) -> None:  # Any: expat's arguments
    """Raises ValueError: entities of a document's own multiply."""
    raise ValueError("entities")


def attribute(attributes: _Attributes, local: str) -> str:
    """An attribute whatever its namespace is called; empty when there is none."""
    return next((value for key, value in attributes.items() if key.rpartition(":")[2] == local), "")


def count(text: str, most: int, *, otherwise: int = 1) -> int:
    """A number in an attribute, bounded."""
    return min(int(text), most) if text.isdecimal() and len(text) < 10 else otherwise


class _ExcelStyles:
    def __init__(self) -> None:
        self.codes: dict[str, str] = {}
        self.cells: list[str] = []
        self.on_condition: list[str] = []
        self._in_cells = self._in_conditions = False

    def start(self, local: str, attributes: _Attributes) -> None:
        if local == "numFmt" and self._in_conditions:
            self.on_condition.append(attributes.get("formatCode", ""))
        elif local == "numFmt":
            self.codes.setdefault(attributes.get("numFmtId", ""), attributes.get("formatCode", ""))
        elif local == "dxfs":
            self._in_conditions = True
        elif local == "cellXfs":
            self._in_cells = True
        elif local == "xf" and self._in_cells:
            self.cells.append(attributes.get("numFmtId", ""))

    def end(self, local: str) -> None:
        if local == "cellXfs":
            self._in_cells = False
        elif local == "dxfs":
            self._in_conditions = False

    def word(self, text: str) -> None:
        """Formats stand in attributes only."""


@dataclass(slots=True, kw_only=True)
class _CellStyle:
    data: str
    parent: str


@dataclass(slots=True, kw_only=True)
class _OpenDocumentStyles:
    codes: dict[str, list[str]] = field(default_factory=dict)
    """What each data style writes, piece by piece."""
    maps: dict[str, list[str]] = field(default_factory=dict)
    cells: dict[str, _CellStyle] = field(default_factory=dict)
    applied: list[str] = field(default_factory=list)
    """Cells' styles that take another's place on a condition."""
    of_charts: dict[str, None] = field(default_factory=dict)
    """The data styles of a chart's labels and axes."""
    _found: dict[str, str] = field(default_factory=dict)
    """The data styles of cells' styles that have their parents'."""
    _name: str = ""
    _goes_on: bool = False
    """The first part of a time goes on beyond a day."""
    _words: list[str] = field(default_factory=list)
    _within: dict[int, str] = field(default_factory=dict)
    _position: int = 0
    _places: int = 0
    _decimals: int = 0

    def start(self, local: str, attributes: _Attributes) -> None:
        self._words = []
        if local in _DATA_STYLES:
            self._name = attribute(attributes, "name")
            self.codes[self._name] = []
            self._goes_on = attribute(attributes, "truncate-on-overflow") == "false"
        elif local == "style" and attribute(attributes, "family") == "chart":
            names = (attribute(attributes, "data-style-name"), attribute(attributes, "percentage-data-style-name"))
            self.of_charts |= dict.fromkeys(name for name in names if name)
        elif local == "style" and attribute(attributes, "family") == "table-cell":
            style = _CellStyle(
                data=attribute(attributes, "data-style-name"), parent=attribute(attributes, "parent-style-name")
            )
            self.cells[attribute(attributes, "name")] = style
        elif self._name:
            self._piece(local, attributes)
        elif local in _CONDITIONS and (name := attribute(attributes, "apply-style-name")):
            self.applied.append(name)

    def _piece(self, local: str, attributes: _Attributes) -> None:
        if local in _NUMBERS:
            self._within = {}
            self._places = count(attribute(attributes, "min-integer-digits"), _MOST_PLACES)
            self._decimals = count(attribute(attributes, "decimal-places"), _MOST_PLACES, otherwise=0)
        elif local == "embedded-text":
            self._position = count(attribute(attributes, "position"), _MOST_PLACES, otherwise=0)
        elif local in _OF_DAYS:
            self.codes[self._name].append(self._of_days(local, attributes))
        elif local == "map":
            self.maps.setdefault(self._name, []).append(attribute(attributes, "apply-style-name"))

    def _of_days(self, local: str, attributes: _Attributes) -> str:
        code = _OF_DAYS[local][attribute(attributes, "style") == "long"]
        if local == "month" and attribute(attributes, "textual") == "true":
            code += "mm"
        if self._goes_on and local in _TIMES:
            code, self._goes_on = f"[{code}]", False
        places = count(attribute(attributes, "decimal-places"), _MOST_PLACES, otherwise=0)
        return f"{code}.{'0' * places}" if places and local == "seconds" else code

    def word(self, text: str) -> None:
        self._words.append(text)

    def end(self, local: str) -> None:
        if not self._name:
            return
        if local in _DATA_STYLES:
            self._name = ""
        elif local in _TEXTS:
            self.codes[self._name].append(escaped("".join(self._words)))
        elif local == "text-content":
            self.codes[self._name].append("@")
        elif local == "embedded-text":
            self._within[self._position] = escaped("".join(self._words))
        elif local in _NUMBERS:
            self.codes[self._name].append("".join(self._digits()))

    def _digits(self) -> Iterator[str]:
        """The number's places, with the texts that stand so many digits before its point."""
        places = max(self._places, 1, *(position + 1 for position in self._within))
        for left in range(places - 1, -1, -1):
            yield ("0" if left < self._places else "#") + self._within.get(left, "")
        if self._decimals:
            yield "." + "0" * self._decimals

    def data_style(self, name: str) -> str:
        """The data style of a cell's style, or of the nearest of its parents that has one."""
        seen = dict[str, None]()
        while name in self.cells and name not in seen and name not in self._found and not self.cells[name].data:
            seen[name] = None
            name = self.cells[name].parent
        data = self._found.get(name) or (self.cells[name].data if name in self.cells else "")
        self._found |= dict.fromkeys(seen, data)
        return data
