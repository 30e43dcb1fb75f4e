"""Looks into a file before it is kept (docs/security.md, Card data): every part that a reader's program shows.

Card numbers are found by the one detector (chassis.cards.detector). A picture's own text is not read. What can't be
looked into is refused, and so are programs and archives within.
"""

import base64
import binascii
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from PIL import ExifTags, Image, UnidentifiedImageError

from chassis.cards.detector import holds_card as text_holds_card
from chassis.typed.text import encoding_by_mark
from services.crm.trips.documents.inside import ARCHIVE, DAMAGED, EMBEDDED, PROGRAM, TOO_MUCH, Inside
from services.crm.trips.documents.office_inside import read_office
from services.crm.trips.documents.pdf_inside import read_pdf
from services.crm.trips.documents.rules import DOCX, PDF, PPTX, XLSX, FileRefused, FileType, file_type

CARD: Final = (
    "There seems to be a card number in this file, so we stopped before keeping any of it. Take it out and upload the "
    "file again. A card is asked for with a payment authorization link only. If it is another long number, put "
    "brackets around its first three digits: (220) 2345678908."
)
# A file in a file in a file: nobody's travel papers.
_DEEPEST: Final = 3
_PNG_BEGIN: Final = b"\x89PNG\r\n\x1a\n"
_LONGEST_WORDS: Final = 1024 * 1024
# What a click on an attached file would start.
_STARTED: Final = re.compile(
    r"\.(?:x?html?|svg|js|jse|vbs|vbe|wsf|hta|bat|cmd|exe|ps1|sh|lnk|url|jar|scr|msi)$", re.IGNORECASE
)
# Other files that stand in a picture or behind it; five letters and more are there by no chance.
_HIDDEN: Final = (b"%PDF-", b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c")
# Calendar files fold their lines (RFC 5545, 3.1) and part words by signs of their own (3.3.11).
_FOLD: Final = re.compile(r"\r?\n[ \t]")
_SIGN: Final = re.compile(r"\\([,;\\nN])")
# A file within a calendar (RFC 5545, 3.8.1.1).
_IN_A_CALENDAR: Final = re.compile(r"^ATTACH;[^:\r\n]{0,1000}ENCODING=BASE64[^:\r\n]{0,1000}:([^\r\n]*)", re.I | re.M)


def screen(content: bytes, kind: FileType) -> None:
    """Raises FileRefused, with words for the person, when the file must not be shared."""
    found = _look(content, kind, 0)
    if any(text_holds_card(text) for text in found.texts):
        raise FileRefused(CARD)
    if found.problem:
        raise FileRefused(found.problem)


def holds_card(content: bytes, kind: FileType) -> bool:
    """Whether anything that can be read of the file holds what looks like a card number."""
    return any(text_holds_card(text) for text in _look(content, kind, 0).texts)


def _look(content: bytes, kind: FileType, depth: int) -> Inside:
    inside = _read(content, kind)
    for name, file in inside.files:
        inside.texts.append(name)
        within = _look_into(file, name, depth + 1)
        inside.texts += within.texts
        inside.refuse(within.problem)
    return inside


def _look_into(content: bytes, name: str, depth: int) -> Inside:
    """A file within a file: of a kind that may be shared, or any text."""
    if depth > _DEEPEST:
        return Inside(problem=EMBEDDED)
    if _STARTED.search(name.rstrip(". ")):
        return Inside(problem=PROGRAM)
    try:
        return _look(content, file_type(content, name), depth)
    except FileRefused:
        pass
    try:
        text = content.decode(encoding_by_mark(content))
    except UnicodeDecodeError:
        return Inside(problem=EMBEDDED)
    return Inside(texts=[text], problem=EMBEDDED if "\0" in text else "")


def _read(content: bytes, kind: FileType) -> Inside:
    if kind.content_type.startswith("text/"):
        text = content.decode(encoding_by_mark(content), "replace")
        return _read_calendar(_FOLD.sub("", text)) if kind.ending == "ics" else Inside(texts=[text])
    if kind is PDF:
        return read_pdf(content)
    if kind in (DOCX, XLSX, PPTX) or kind.ending.startswith("od"):
        return read_office(content)
    return _read_picture(content)


def _read_calendar(text: str) -> Inside:
    inside = Inside(texts=[text, _SIGN.sub(lambda found: " " if found[1] in "nN" else found[1], text)])
    for found in _IN_A_CALENDAR.finditer(text):
        try:
            inside.files.append(("attachment.txt", base64.b64decode(found[1], validate=True)))
        except (binascii.Error, ValueError):
            inside.refuse(EMBEDDED)
    return inside


def _read_picture(content: bytes) -> Inside:
    """A picture's properties: titles, comments, keywords; and what stands behind it."""
    try:
        with Image.open(io.BytesIO(content)) as picture:
            values = [*picture.info.values(), *picture.getexif().values()]
            values += picture.getexif().get_ifd(ExifTags.IFD.Exif).values()
            values += _late_words(content) if picture.format == "PNG" else []
            _read_to_its_end(picture)
    except Image.DecompressionBombError:
        return Inside(problem=TOO_MUCH)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, zlib.error):
        return Inside(problem=DAMAGED)
    inside = Inside(texts=[*_words_in(values), _behind(content).decode("latin-1")])
    if any(mark in content for mark in _HIDDEN) or zipfile.is_zipfile(io.BytesIO(content)):
        inside.refuse(ARCHIVE)
    return inside


def _read_to_its_end(picture: Image.Image) -> None:
    """Raises what Pillow does where a part of a photo is missing, as after a broken transfer: viewers show it grey. It
    is drawn small, which is quick; a PNG was read for its properties, and a WebP says how long it is."""
    if picture.format in ("JPEG", "MPO"):
        picture.draft("L", (1, 1))
        picture.load()


def _behind(content: bytes) -> bytes:
    """What no viewer shows: bytes after the picture's end."""
    if content.startswith(b"RIFF"):
        return content[8 + int.from_bytes(content[4:8], "little") :]
    end = b"IEND" if content.startswith(_PNG_BEGIN) else b"\xff\xd9"
    return content[content.rfind(end) + len(end) :][:_LONGEST_WORDS]


def _words_in(values: Iterable[object]) -> Iterator[str]:
    """Texts among a picture's properties; Photoshop's captions (IPTC) stand in a table of their own."""
    for value in values:
        if isinstance(value, dict):
            yield from _words_in(value.values())
        elif isinstance(value, bytes):
            yield value.decode("utf-8", "replace")
        elif isinstance(value, str):
            yield value


def _late_words(content: bytes) -> list[str]:
    """Words in a PNG wherever they stand: what comes after the picture itself, no opening of it reads."""
    found, at = [], len(_PNG_BEGIN)
    while at + 8 <= len(content):
        length, kind = int.from_bytes(content[at : at + 4]), content[at + 4 : at + 8]
        body = content[at + 8 : at + 8 + length]
        if kind == b"iTXt" and (packed := _packed_words(body)) is not None:
            found.append(_unpacked(packed).decode("utf-8", "replace"))
        elif kind in (b"tEXt", b"iTXt"):
            found.append(body.replace(b"\0", b"\n").decode("utf-8", "replace"))
        elif kind == b"zTXt":
            found.append(_unpacked(body.partition(b"\0")[2][1:]).decode("latin-1"))
        at += 12 + length
    return found


def _packed_words(body: bytes) -> bytes | None:
    """What an iTXt chunk has packed, behind keyword, flag, method, language and translated keyword (PNG, 11.3.3.4)."""
    rest = body.partition(b"\0")[2]
    return rest[2:].split(b"\0", 2)[-1] if rest[:1] == b"\1" else None


def _unpacked(packed: bytes) -> bytes:
    return zlib.decompressobj().decompress(packed, _LONGEST_WORDS)
