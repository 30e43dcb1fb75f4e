"""What is inside an Office or OpenDocument file: the text of every part, hidden ones too, and files built in."""

import io
import re
import zipfile
from decimal import Decimal
from typing import Any, Final
from xml.parsers import expat

from services.crm.trips.documents.inside import DAMAGED, LOCKED, TOO_MUCH, Inside

_TEXT_PARTS: Final = (".xml", ".rels", ".vml", ".rdf", ".html", ".htm", ".mht", ".rtf", ".txt", ".svg", ".csv", ".json")
# What other parts may be files of their own, whatever they are called: archives and Office files, PDFs, RAR, 7z, gzip.
_FILES: Final = (b"PK\x03\x04", b"%PDF-", b"\xd0\xcf\x11\xe0", b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b\x08")
_LONGEST_MARK: Final = 8
_MOST_TEXT: Final = 60 * 1024 * 1024
# Ends of paragraphs, cells and comments: numbers of neighbours must not run together.
_BLOCKS: Final = frozenset({"p", "h", "tc", "si", "c", "v", "is", "row", "table-cell", "comment", "annotation", "li"})
_BLANKS: Final = frozenset({"tab", "br", "cr", "s", "line-break", "sym"})
_TAGS: Final = re.compile(r"<[^<>]*>")
_PROGRAMS: Final = re.compile(r"vbaproject|/activex/|/macrosheets/|^basic/[^/]+/(?!script-lb)|^scripts/")
# How a spreadsheet writes a number of 15 or 16 digits: 4.11111111111111E15.
_EXPONENT: Final = re.compile(r"(?<![0-9.])([0-9]\.[0-9]{1,17})[eE]\+?(1[0-9])(?![0-9])")
# Values in attributes are parted by letters, so that none goes on in the next.
_APART: Final = " and "


def read_office(content: bytes) -> Inside:
    """Reads every part that holds text. The zip itself was looked at before (rules.file_type)."""
    inside, left = Inside(), _MOST_TEXT
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            name = entry.filename.lower()
            if entry.flag_bits & 1:
                inside.refuse(LOCKED)
                continue
            is_text = name.endswith(_TEXT_PARTS)
            built_in = ("/embeddings/" in f"/{name}" and not name.endswith(".rels")) or (
                not is_text and _begins_like_a_file(archive, entry)
            )
            if not built_in and not is_text:
                continue
            left -= entry.file_size
            if left < 0:
                inside.refuse(TOO_MUCH)
                return inside
            try:
                part = archive.read(entry)
            except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError):
                inside.refuse(DAMAGED)
                continue
            if built_in:
                inside.files.append((entry.filename, part))
            else:
                _read_part(name, part, inside)
    return inside


def _begins_like_a_file(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    try:
        with archive.open(entry) as part:
            return part.read(_LONGEST_MARK).startswith(_FILES)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError):
        return False


def _read_part(name: str, part: bytes, inside: Inside) -> None:
    if name.endswith("manifest.xml") and b"encryption-data" in part:
        inside.refuse(LOCKED)
    inside.texts.append(_whole_numbers(text_of_xml(part)))


def text_of_xml(part: bytes) -> str:
    """The text of a document, then the values of its attributes. What is no XML is read without its tags."""
    reader = _Reader()
    try:
        reader.read(part)
    except (expat.ExpatError, ValueError):
        return _TAGS.sub(" ", part.decode("utf-8", "replace"))
    return reader.text


class _Reader:
    """Collects text and attributes; entities of a document's own are refused (they multiply)."""

    def __init__(self) -> None:
        self._words: list[str] = []
        self._values: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self._words) + "\n" + _APART.join(self._values)

    def read(self, part: bytes) -> None:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._words.append
        parser.EntityDeclHandler = _refuse_entities
        parser.Parse(part, True)  # noqa: FBT003

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if _local(name) in _BLANKS:
            self._words.append(" ")
        self._values += attributes.values()

    def _end(self, name: str) -> None:
        if _local(name) in _BLOCKS:
            self._words.append("\n")


def _refuse_entities(*_: Any) -> None:  # Any: expat's arguments
    raise ValueError("entities")


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _whole_numbers(text: str) -> str:
    return _EXPONENT.sub(lambda found: f"{Decimal(found.group(1)).scaleb(int(found.group(2))):f}", text)


def holds_program(names: set[str], content_types: str) -> bool:
    """Whether an office file holds macros, by its parts' types or names."""
    marks = ("macroenabled", "vbaproject", "vbadata", "macrosheet", "activex")
    return any(mark in content_types.lower() for mark in marks) or any(_PROGRAMS.search(name.lower()) for name in names)
