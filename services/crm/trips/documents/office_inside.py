"""What is inside an Office or OpenDocument file: the text of every part, hidden ones too, and files built in."""

import email
import email.policy
import io
import re
import zipfile
from typing import Final
from xml.parsers import expat

from services.crm.trips.documents.cell_styles import refuse_entities
from services.crm.trips.documents.cells import Sheets
from services.crm.trips.documents.inside import DAMAGED, LOCKED, OUTSIDE, PROGRAM, TOO_MUCH, UNREADABLE_ZIP, Inside

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
# What runs, or is fetched from elsewhere, as soon as the file is opened: fields and links that start other programs,
# scripts behind a click, a template of another site.
_STARTED: Final = re.compile(r"DDEAUTO\b|vnd\.sun\.star\.script:")
_LINKED: Final = re.compile(rb"<(?:\w{1,20}:)?ddeLink\b")
_TEMPLATE: Final = re.compile(rb"<[^<>]*/attachedTemplate[\"'][^<>]*>")
# How Excel writes a character that XML has no place for.
_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_RTF_WORDS: Final = re.compile(r"\\(?:'[0-9a-f]{2}|[a-z]{1,32}-?[0-9]{0,10} ?|.)|[{}]")
_BEGINNINGS_OF_XML: Final = (b"<", b"\xef\xbb\xbf<", b"\xff\xfe<\0", b"\xfe\xff\0<")
# Values in attributes are parted by letters, so that none goes on in the next.
_APART: Final = " and "


def read_office(content: bytes) -> Inside:
    """Reads every part that holds text. The zip itself was looked at before (rules.file_type)."""
    inside, left, sheets = Inside(), _MOST_TEXT, Sheets()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        inside.texts.append(_APART.join([archive.comment.decode("latin-1"), *archive.namelist()]))
        for entry in archive.infolist():
            name = entry.filename.lower()
            if entry.flag_bits & 1:
                inside.refuse(LOCKED)
                continue
            begin = b"" if name.endswith(_TEXT_PARTS) else _beginning(archive, entry)
            is_text = name.endswith(_TEXT_PARTS) or begin.lstrip().startswith(_BEGINNINGS_OF_XML)
            built_in = ("/embeddings/" in f"/{name}" and not name.endswith(".rels")) or begin.startswith(_FILES)
            if not built_in and not is_text:
                continue
            left -= entry.file_size
            if left < 0:
                inside.refuse(TOO_MUCH)
                return inside
            try:
                part = archive.read(entry)
            except UNREADABLE_ZIP:
                inside.refuse(DAMAGED)
                continue
            if built_in:
                inside.files.append((entry.filename, part))
            else:
                _read_part(name, part, inside)
                sheets.add(name, part)
    inside.texts += sheets.numbers_over_cells()
    if sheets.too_much:
        inside.refuse(TOO_MUCH)
    return inside


def _beginning(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    try:
        with archive.open(entry) as part:
            return part.read(_LONGEST_MARK)
    except UNREADABLE_ZIP:
        return b""


def _read_part(name: str, part: bytes, inside: Inside) -> None:
    if name.endswith("manifest.xml") and b"encryption-data" in part:
        inside.refuse(LOCKED)
    if name.endswith(".mht"):
        text = _text_of_letter(part)
    elif name.endswith(".rtf"):
        text = _RTF_WORDS.sub(_meant, part.decode("latin-1"))
    else:
        text, whole = _text_of_xml(part)
        if not whole and name.endswith((".xml", ".rels")):
            inside.refuse(DAMAGED)
    if _STARTED.search(text) or _LINKED.search(part):
        inside.refuse(PROGRAM)
    if any(b"External" in found[0] for found in _TEMPLATE.finditer(part)):
        inside.refuse(OUTSIDE)
    inside.texts.append(_ESCAPED.sub(lambda found: chr(int(found[1], 16)), text))


def _text_of_xml(part: bytes) -> tuple[str, bool]:
    """The text of a document, then the values of its attributes and notes; and whether it is XML to its end. What is
    none is read without its tags, and as it stands."""
    reader = _Reader()
    try:
        reader.read(part)
    except (expat.ExpatError, ValueError, LookupError):
        plain = part.decode("utf-8", "replace")
        return f"{_TAGS.sub(' ', plain)}\n{plain}", False
    return reader.text, True


def _text_of_letter(part: bytes) -> str:
    """A web page with its pictures, as Word takes it in (RFC 2557): each part's text as it is meant."""
    letter = email.message_from_bytes(part, policy=email.policy.compat32)
    bodies = [each.get_payload(decode=True) for each in letter.walk() if not each.is_multipart()]
    texts = [body.decode("utf-8", "replace") for body in bodies if isinstance(body, bytes)]
    return _APART.join([part.decode("utf-8", "replace"), *(_TAGS.sub(" ", text) for text in texts)])


def _meant(found: re.Match[str]) -> str:
    r"""What a word of RTF stands for: \'34 is a 4, \~ and \_ part words, others draw nothing."""
    word = found[0]
    if word.startswith("\\'"):
        return chr(int(word[2:], 16))
    return " " if word in ("\\~", "\\_", "\\-") or word.startswith(("\\par", "\\line", "\\tab", "\\cell")) else ""


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
        parser.EntityDeclHandler = refuse_entities
        parser.CommentHandler = self._values.append
        parser.ProcessingInstructionHandler = self._note
        parser.Parse(part, True)  # noqa: FBT003

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if _local(name) in _BLANKS:
            self._words.append(" ")
        self._values += attributes.values()

    def _note(self, _target: str, text: str) -> None:
        self._values.append(text)

    def _end(self, name: str) -> None:
        if _local(name) in _BLOCKS:
            self._words.append("\n")


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def holds_program(names: set[str], content_types: str) -> bool:
    """Whether an office file holds macros, by its parts' types or names."""
    marks = ("macroenabled", "vbaproject", "vbadata", "macrosheet", "activex")
    return any(mark in content_types.lower() for mark in marks) or any(_PROGRAMS.search(name.lower()) for name in names)
