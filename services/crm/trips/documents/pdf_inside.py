"""What is inside a PDF: every page, form values, comments, properties and attached files; no scripts, no archives.

qpdf (pikepdf) reads a PDF as readers do: with bytes before its header, and with an index that is off. What it makes of
it is handed to pypdf for the pages' text.
"""

import io
import re
import time
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, Final

import pikepdf
from pypdf import PdfReader
from pypdf.errors import PyPdfError

from services.crm.trips.documents.inside import ARCHIVE, DAMAGED, EMBEDDED, LOCKED, PROGRAM, TOO_MUCH, Inside

# The pages' text takes some 50 ms each.
_MOST_SECONDS: Final = 20.0
_MOST_UNPACKED: Final = 60 * 1024 * 1024
_LONGEST_TEXT: Final = 4 * 1024 * 1024
_CHUNK: Final = 1024 * 1024
_ACTIVE: Final = frozenset({"/JavaScript", "/Launch"})
_TAGS: Final = re.compile(r"<[^<>]*>")
_ARCHIVES: Final = (b"PK\x03\x04", b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b\x08", b"MZ\x90\x00")
# What pypdf raises on broken files, besides its own.
_UNREADABLE = (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OverflowError)


def read_pdf(content: bytes) -> Inside:
    """Reads all that a reader's program shows."""
    inside = Inside()
    if _has_archive(content):
        inside.refuse(ARCHIVE)
    try:
        with pikepdf.open(io.BytesIO(content)) as pdf:
            _read_objects(pdf, inside)
            if inside.problem != TOO_MUCH:
                _read_pages(pdf, inside)
    except pikepdf.PasswordError:
        inside.refuse(LOCKED)
    except (pikepdf.PdfError, *_UNREADABLE):
        inside.refuse(DAMAGED)
    return inside


def _has_archive(content: bytes) -> bool:
    """Whether the file is an archive as well, or carries one before its beginning or behind its end."""
    before = content[: content.find(b"%PDF-")]
    behind = content[content.rfind(b"%%EOF") :]
    if any(mark in part for part in (before, behind) for mark in _ARCHIVES):
        return True
    return zipfile.is_zipfile(io.BytesIO(content))


def _read_objects(pdf: pikepdf.Pdf, inside: Inside) -> None:
    """Strings wherever they stand: form values, comments, titles, properties, bookmarks; and streams of text."""
    left = _MOST_UNPACKED
    for each in pdf.objects:
        for one in _within(each, inside):
            if isinstance(one, pikepdf.String):
                inside.texts.append(str(one))
        if isinstance(each, pikepdf.Stream):
            unpacked = _unpacked(each, left)
            if unpacked is None:
                inside.refuse(TOO_MUCH)
                return
            left -= len(unpacked)
            _read_stream(unpacked, inside)
    for name, file in pdf.attachments.items():
        _attach(name, file, inside)


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
        if isinstance(stream, pikepdf.Stream):
            unpacked = _unpacked(stream, _MOST_UNPACKED)
            inside.files.append((name, unpacked if unpacked is not None else b""))
        else:
            inside.refuse(EMBEDDED)


def _attach(name: str, file: Any, inside: Inside) -> None:  # Any: pikepdf's file specification
    if not any(known == name for known, _ in inside.files):
        inside.files.append((name, file.get_file().read_bytes()))


def _unpacked(stream: Any, most: int) -> bytes | None:  # Any: pikepdf's streams
    """A stream's bytes; empty for pictures and what isn't packed by zlib; None when there is more than `most`."""
    filters = stream.get("/Filter", None)
    names = [str(each) for each in filters] if isinstance(filters, pikepdf.Array) else [str(filters or "")]
    raw: bytes = stream.read_raw_bytes()
    if names in ([""], []):
        return raw[: most + 1] if len(raw) <= most else None
    if names != ["/FlateDecode"]:
        # Several in a row pack so tightly that nobody does it in earnest.
        return None if names.count("/FlateDecode") > 1 else b""
    unpacker, out, waiting = zlib.decompressobj(), io.BytesIO(), raw
    try:
        while waiting:
            out.write(unpacker.decompress(waiting, _CHUNK))
            waiting = unpacker.unconsumed_tail
            if out.tell() > most:
                return None
    except zlib.error:
        # Readers show what came before the fault.
        pass
    return out.getvalue()


def _read_stream(unpacked: bytes, inside: Inside) -> None:
    """XML: the properties' (XMP) and the form's own (XFA), which may hold scripts."""
    if unpacked.lstrip()[:1] != b"<" or len(unpacked) > _LONGEST_TEXT:
        return
    text = unpacked.decode("utf-8", "replace")
    if "<script" in text.lower() and "xfa" in text.lower():
        inside.refuse(PROGRAM)
    inside.texts.append(_TAGS.sub(" a ", text))


def _read_pages(pdf: pikepdf.Pdf, inside: Inside) -> None:
    sound, until = io.BytesIO(), time.monotonic() + _MOST_SECONDS
    pdf.save(sound)
    for page in PdfReader(sound).pages:
        if time.monotonic() > until:
            inside.refuse(TOO_MUCH)
            return
        inside.texts.append(page.extract_text())
