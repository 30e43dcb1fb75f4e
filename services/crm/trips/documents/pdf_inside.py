"""What is inside a PDF: every page, form values, comments, properties and attached files; no scripts, no archives.

qpdf (pikepdf) reads a PDF as readers do: with bytes before its header, and with an index that is off. What it makes of
it is handed to pypdf for the pages' text. What a program saved earlier and only wrote over stands in the file still:
it is read too.
"""

import io
import re
import struct
import time
import zipfile
import zlib
from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

import pikepdf
from pypdf import PdfReader
from pypdf.errors import PyPdfError

from chassis.typed.text import encoding_by_mark
from services.crm.trips.documents.inside import ARCHIVE, DAMAGED, EMBEDDED, LOCKED, PROGRAM, TOO_MUCH, Inside
from services.crm.trips.documents.pdf_streams import is_readable, unpacked

# The pages' text takes some 50 ms each.
_MOST_SECONDS: Final = 20.0
_MOST_UNPACKED: Final = 60 * 1024 * 1024
_LONGEST_TEXT: Final = 4 * 1024 * 1024
# Each time a program adds to a PDF instead of writing it anew, what stood there before stays (ISO 32000-1, 7.5.6).
_MOST_REVISIONS: Final = 20
_END: Final = b"%%EOF"
_ACTIVE: Final = frozenset({"/JavaScript", "/Launch", "/ImportData"})
# Films and models, which bring programs of their own.
_PLAYED: Final = frozenset({"/RichMedia", "/3D"})
_TAGS: Final = re.compile(r"<[^<>]*>")
# Within a line of a form's formatted text.
_INLINE: Final = re.compile(r"</?(?:span|b|i|u|s|sub|sup|em|strong|font|a)(?=[ />])[^<>]*>", re.IGNORECASE)
_ARCHIVES: Final = (b"PK\x03\x04", b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b\x08", b"MZ\x90\x00")
# What a mail or a form leaves behind the end: blank, or some lines of text.
_LONGEST_REST: Final = 1024
_REST: Final = re.compile(rb"[\t\r\n\x20-\x7e]*")
_PADDING: Final = b"\0 \t\r\n"
_MOST_FIELDS: Final = 20_000
# A box of a form for a part of a number.
_BOX: Final = re.compile(r"[0-9]{1,8}")
# What pypdf raises on broken files, besides its own.
_UNREADABLE = (
    *(PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError),
    # NotImplementedError, for ways of packing that it does not know, and RecursionError among them.
    *(RuntimeError, zlib.error, struct.error),
)


def read_pdf(content: bytes) -> Inside:
    """Reads all that a reader's program shows, and what stood in the file before."""
    inside, until = Inside(), time.monotonic() + _MOST_SECONDS
    _read_around(content, inside)
    try:
        _read_whole(content, inside, until)
        _read_earlier(content, inside, until)
    except pikepdf.PasswordError:
        inside.refuse(LOCKED)
    except (pikepdf.PdfError, *_UNREADABLE):
        inside.refuse(DAMAGED)
    return inside


def _read_whole(content: bytes, inside: Inside, until: float) -> None:
    with pikepdf.open(io.BytesIO(content)) as pdf:
        _read_objects(pdf, inside)
        if inside.problem != TOO_MUCH:
            _read_pages(pdf, inside, until)


def _read_earlier(content: bytes, inside: Inside, until: float) -> None:
    """What was written over; of a file that is prepared for the web the first end is none."""
    ends = [found.end() for found in re.finditer(_END, content)][:-1]
    if len(ends) > _MOST_REVISIONS:
        inside.refuse(TOO_MUCH)
        return
    for end in ends:
        earlier = Inside()
        try:
            with pikepdf.open(io.BytesIO(content[:end]), attempt_recovery=False) as pdf:
                _read_objects(pdf, earlier)
                _read_pages(pdf, earlier, until)
        except (pikepdf.PdfError, *_UNREADABLE):
            continue
        inside.texts += earlier.texts
        inside.files += [file for file in earlier.files if file not in inside.files]
        if earlier.problem == TOO_MUCH:
            inside.refuse(TOO_MUCH)


def _read_around(content: bytes, inside: Inside) -> None:
    """Text before the beginning and behind the end; anything else there may be an archive or a program."""
    before = content[: content.find(b"%PDF-")]
    behind = content[content.rfind(_END) + len(_END) :] if _END in content else b""
    inside.texts += [before.decode("latin-1"), behind[:_LONGEST_REST].decode("latin-1")]
    rest = behind.strip(_PADDING)
    marked = any(mark in part for part in (before, behind) for mark in _ARCHIVES)
    odd = len(rest) > _LONGEST_REST or not _REST.fullmatch(rest)
    if marked or odd or zipfile.is_zipfile(io.BytesIO(content)):
        inside.refuse(ARCHIVE)


def _read_objects(pdf: pikepdf.Pdf, inside: Inside) -> None:
    """Strings wherever they stand: form values, comments, titles, properties, bookmarks; and streams of text."""
    left = _MOST_UNPACKED
    for each in pdf.objects:
        for one in _within(each, inside):
            if isinstance(one, pikepdf.String):
                inside.texts.append(_without_tags(str(one)))
        if isinstance(each, pikepdf.Stream):
            found = unpacked(each, left)
            if found is None:
                inside.refuse(TOO_MUCH)
                return
            left -= len(found)
            _read_stream(each, found, inside)
    for name, file in pdf.attachments.items():
        _attach(name, file, inside)
    _read_form(pdf, inside)


def _within(top: Any, inside: Inside) -> Iterator[Any]:  # Any: pikepdf's objects
    """An object and what stands directly in it; what is referred to comes by itself."""
    waiting = [top]
    while waiting:
        one = waiting.pop()
        yield one
        if isinstance(one, pikepdf.Dictionary | pikepdf.Stream):
            entries = dict(one.items())
            if "/JS" in entries or str(entries.get("/S", "")) in _ACTIVE or "/JavaScript" in entries:
                inside.refuse(PROGRAM)
            if str(entries.get("/Subtype", "")) in _PLAYED:
                inside.refuse(EMBEDDED)
            if "/EF" in entries:
                _read_file(entries, inside)
            waiting += [each for each in entries.values() if not _is_elsewhere(each)]
        elif isinstance(one, pikepdf.Array):
            waiting += [each for each in one if not _is_elsewhere(each)]


def _is_elsewhere(one: Any) -> bool:  # Any: pikepdf's objects, and Python's own for numbers
    return bool(getattr(one, "is_indirect", False))


def _read_file(entries: dict[str, Any], inside: Inside) -> None:  # Any: pikepdf's objects
    name = str(entries.get("/UF", entries.get("/F", "file")))
    for stream in dict(entries["/EF"].items()).values():
        if isinstance(stream, pikepdf.Stream) and is_readable(stream):
            inside.files.append((name, unpacked(stream, _MOST_UNPACKED) or b""))
        else:
            inside.refuse(EMBEDDED)


def _attach(name: str, file: Any, inside: Inside) -> None:  # Any: pikepdf's file specification
    if not any(known == name for known, _ in inside.files):
        inside.files.append((name, file.get_file().read_bytes()))


def _read_stream(stream: Any, found: bytes, inside: Inside) -> None:  # Any: pikepdf's streams
    """XML: the properties' (XMP) and the form's own (XFA), which may hold scripts."""
    if found.startswith(_ARCHIVES) and str(stream.get("/Type", "")) != "/EmbeddedFile":
        inside.refuse(ARCHIVE)
    if str(stream.get("/Type", "")) == "/Metadata" and not is_readable(stream):
        inside.refuse(EMBEDDED)
    text = _decoded(found[: _LONGEST_TEXT + 1])
    if text.lstrip()[:1] == "<" and len(text) <= _LONGEST_TEXT:
        _read_xml(text, inside)


def _read_xml(text: str, inside: Inside) -> None:
    if "<script" in text.lower() and "xfa" in text.lower():
        inside.refuse(PROGRAM)
    inside.texts.append(_without_tags(text))


def _decoded(xml: bytes) -> str:
    """XML says by its first bytes that it is UTF-16."""
    return xml.decode(encoding_by_mark(xml), "replace")


def _without_tags(text: str) -> str:
    """Letters for tags, so that no number goes on from one value to the next; nothing for those within a line."""
    return _TAGS.sub(" a ", _INLINE.sub("", text)) if "<" in text else text


def _read_form(pdf: pikepdf.Pdf, inside: Inside) -> None:
    """A form's own data in one piece, and a number that was written into several boxes."""
    form = pdf.Root.get("/AcroForm", None)
    if not isinstance(form, pikepdf.Dictionary):
        return
    data = form.get("/XFA", None)
    if isinstance(data, pikepdf.Array):
        parts = [unpacked(each, _LONGEST_TEXT) or b"" for each in data if isinstance(each, pikepdf.Stream)]
        _read_xml(_decoded(b"".join(parts)[:_LONGEST_TEXT]), inside)
    for boxes, values in groupby(_values(form), key=lambda value: bool(_BOX.fullmatch(value))):
        if boxes:
            inside.texts.append(" ".join(values))


def _values(form: Any) -> Iterator[str]:  # Any: pikepdf's objects
    """What was filled in, in the order of the fields."""
    waiting = list(reversed(list(form.get("/Fields", []))))
    for _ in range(_MOST_FIELDS):
        if not waiting:
            return
        field = waiting.pop()
        if isinstance(field, pikepdf.Dictionary):
            if isinstance(field.get("/V", None), pikepdf.String):
                yield str(field.V).strip()
            waiting += reversed(list(field.get("/Kids", [])))


def _read_pages(pdf: pikepdf.Pdf, inside: Inside, until: float) -> None:
    """The pages' text, with what comments and form fields draw upon them."""
    sound = io.BytesIO()
    pdf.flatten_annotations()
    for sheet in pdf.pages:
        if "/Annots" in sheet.obj:
            del sheet.obj["/Annots"]
    pdf.save(sound, fix_metadata_version=False)
    for page in PdfReader(sound).pages:
        if time.monotonic() > until:
            inside.refuse(TOO_MUCH)
            return
        inside.texts.append(page.extract_text())
