"""What charts write beside their values: the formats of labels, axes and series (ECMA-376 part 1, 21.2.2.71 and
21.2.2.121), each of which may be that of any value of its chart. Left out is what a program works out from values:
marks between an axis' ends, shares in percent, trend lines.
"""

from collections.abc import Mapping
from typing import Final

from services.crm.trips.documents.cell_styles import read_xml
from services.crm.trips.documents.number_formats import NumberFormat

_ENDS: Final = ("min", "max")


class OfficeChart:
    """A chart of Excel, Word or PowerPoint, also in the form for newer kinds (cx). Of a sheet it has the formats that
    stand in the sheet itself."""

    def __init__(self, part: bytes) -> None:
        self._codes, self._values = dict[str, None](), dict[str, None]()
        self._words = list[str]()
        if b"formatCode" in part:
            read_xml(part, self)

    @property
    def formats(self) -> NumberFormat:
        return NumberFormat(*self._codes)

    @property
    def values(self) -> list[str]:
        return list(self._values)

    def start(self, local: str, attributes: Mapping[str, str]) -> None:
        self._words = []
        self._codes[attributes.get("formatCode", "")] = None
        if local in _ENDS:
            self._values[attributes.get("val", "")] = None
        elif local == "valScaling":
            self._values |= dict.fromkeys(attributes.get(end, "") for end in _ENDS)

    def word(self, text: str) -> None:
        self._words.append(text)

    def end(self, local: str) -> None:
        if local == "formatCode":
            self._codes["".join(self._words)] = None
        elif local in ("v", "pt"):
            self._values["".join(self._words)] = None
