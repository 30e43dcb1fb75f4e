"""Which files may be shared, what they are, and what they are called. Pure.

A file is what its bytes say. What a browser or a file name claims is not trusted: the name only
chooses between kinds of plain text, and it gets the ending of what the file really is.
"""

import io
import re
import zipfile
from dataclasses import dataclass
from typing import Final

from chassis.pictures import odd_picture
from chassis.typed.file_names import ending_of, file_name
from chassis.typed.text import encoding_by_mark
from services.crm.trips.documents.inside import DAMAGED, LOCKED, UNREADABLE_ZIP
from services.crm.trips.documents.office_inside import holds_program

# What an event may carry, with room for the rest of it (chassis.bus.outbox.LARGEST_PAYLOAD).
MAX_BYTES: Final = 5 * 1024 * 1024
MAX_PER_BOOKING: Final = 60
# A zip with more entries, or one that unpacks to more, is no office file.
_MAX_ENTRIES: Final = 5_000
_MAX_UNPACKED: Final = 100 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class FileType:
    """A kind of file that may be shared."""

    content_type: str
    ending: str
    words: str


PDF: Final = FileType(content_type="application/pdf", ending="pdf", words="PDF")
_JPEG = FileType(content_type="image/jpeg", ending="jpg", words="Picture")
_PNG = FileType(content_type="image/png", ending="png", words="Picture")
_WEBP = FileType(content_type="image/webp", ending="webp", words="Picture")
_OOXML = "application/vnd.openxmlformats-officedocument"
DOCX: Final = FileType(content_type=f"{_OOXML}.wordprocessingml.document", ending="docx", words="Word document")
XLSX: Final = FileType(content_type=f"{_OOXML}.spreadsheetml.sheet", ending="xlsx", words="Spreadsheet")
PPTX: Final = FileType(content_type=f"{_OOXML}.presentationml.presentation", ending="pptx", words="Presentation")
_ODF = "application/vnd.oasis.opendocument"
_TEXTS = {
    "txt": FileType(content_type="text/plain", ending="txt", words="Text"),
    "csv": FileType(content_type="text/csv", ending="csv", words="Table"),
    "ics": FileType(content_type="text/calendar", ending="ics", words="Calendar"),
}
_OPEN_DOCUMENTS = {
    f"{_ODF}.text": FileType(content_type=f"{_ODF}.text", ending="odt", words="Document"),
    f"{_ODF}.spreadsheet": FileType(content_type=f"{_ODF}.spreadsheet", ending="ods", words="Spreadsheet"),
    f"{_ODF}.presentation": FileType(content_type=f"{_ODF}.presentation", ending="odp", words="Presentation"),
}
FILE_TYPES: Final = (PDF, _JPEG, _PNG, _WEBP, DOCX, XLSX, PPTX, *_OPEN_DOCUMENTS.values(), *_TEXTS.values())
_PDF_HEADER_WITHIN = 1024
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PARTS = (
    ("word/document.xml", "wordprocessingml.document.main+xml", DOCX),
    ("xl/workbook.xml", "spreadsheetml.sheet.main+xml", XLSX),
    ("ppt/presentation.xml", "presentationml.presentation.main+xml", PPTX),
)
_MOST_TYPES = 1024 * 1024


class FileRefused(ValueError):
    """The file can't be shared; the message says why and what to do instead."""


_NO_OFFICE = "Archives can't be shared. Upload the files one by one."
# What is left of an office document whose end was lost on its way.
_BEGINNING_OF_OFFICE = re.compile(
    rb"\[Content_Types\]\.xml|mimetypeapplication/vnd\.oasis\.opendocument|(?:word|xl|ppt)/"
)
_MOST_BEGINNING = 4096
# Archives in which programs keep what is no paper yet, by what stands in them.
_OTHERS = (
    (
        re.compile(r"^pass\.json$"),
        "This is a pass for Apple Wallet, which opens on iPhones only. Share the PDF or a screenshot of it.",
    ),
    (
        re.compile(r"\.iwa$|^Index\.zip$|^index\.apxl(?:\.gz)?$"),
        "This is a document of Apple's Pages, Numbers or Keynote, which few others open. Export it as PDF.",
    ),
    (re.compile(r"^xl/workbook\.bin$"), "This is a binary workbook. Save it as .xlsx or PDF first."),
)

_UNKNOWN = (
    "This kind of file can't be shared. Share a PDF, a JPEG, PNG or WebP picture, an Office or OpenDocument file, or "
    "plain text (.txt, .csv, .ics)."
)


def file_type(content: bytes, name: str) -> FileType:
    """What the file is by its bytes. Raises FileRefused."""
    if not content:
        raise FileRefused("This file is empty. Choose another one.")
    if len(content) > MAX_BYTES:
        raise FileRefused(f"This file is larger than {MAX_BYTES // 1024 // 1024} MB. Make it smaller, or split it.")
    if (picture := _picture(content)) is not None:
        return picture
    if content.startswith(b"PK\x03\x04"):
        return _packed(content)
    # Readers look for the header in the first 1,024 bytes (PDF 1.7, Annex H.3.4.1), and some programs put a few before.
    if b"%PDF-" in content[:_PDF_HEADER_WITHIN] and (content.startswith(b"%PDF-") or b"%%EOF" in content):
        return PDF
    if content.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in content:
            raise FileRefused(LOCKED)
        if "__substg1.0_".encode("utf-16-le") in content:
            raise FileRefused("This is a message from Outlook. Print it to PDF, and share what was attached by itself.")
        raise FileRefused("Files of older Office versions may hold programs. Save it as .docx, .xlsx or PDF first.")
    return _text(content, name)


def _picture(content: bytes) -> FileType | None:
    if content.startswith(b"\xff\xd8\xff"):
        return _JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return _PNG
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return _WEBP
    if words := odd_picture(content):
        raise FileRefused(words)
    return None


def _packed(content: bytes) -> FileType:
    """An office document by what is in the zip that it is."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            names = {entry.filename for entry in entries}
            if len(entries) > _MAX_ENTRIES or sum(entry.file_size for entry in entries) > _MAX_UNPACKED:
                raise FileRefused(_NO_OFFICE)
            opendocument = _small(archive, names, "mimetype", 100).strip()
            types = _small(archive, names, "[Content_Types].xml", _MOST_TYPES)
    except KeyError:
        raise FileRefused(_NO_OFFICE) from None
    except UNREADABLE_ZIP:
        began = _BEGINNING_OF_OFFICE.search(content[:_MOST_BEGINNING])
        raise FileRefused(DAMAGED if began else _NO_OFFICE) from None
    if holds_program(names, types):
        raise FileRefused("This document holds macros, which are programs. Save it without them, or as PDF.")
    return _office(names, types, opendocument)


def _office(names: set[str], types: str, opendocument: str) -> FileType:
    if opendocument:
        if opendocument not in _OPEN_DOCUMENTS:
            raise FileRefused(_NO_OFFICE)
        return _OPEN_DOCUMENTS[opendocument]
    if words := next((words for mark, words in _OTHERS if any(map(mark.search, names))), ""):
        raise FileRefused(words)
    if "[Content_Types].xml" not in names:
        raise FileRefused(_NO_OFFICE)
    for part, main, kind in _PARTS:
        # Word Online calls the main part document2.xml; its type is what counts.
        if part in names or main in types:
            return kind
    raise FileRefused(_NO_OFFICE)


def _small(archive: zipfile.ZipFile, names: set[str], name: str, most: int) -> str:
    """A small part's text; empty when there is none. Raises KeyError for one that is larger than `most`."""
    if name not in names:
        return ""
    if archive.getinfo(name).file_size > most:
        raise KeyError(name)
    return archive.read(name).decode("utf-8")


def _text(content: bytes, name: str) -> FileType:
    ending = ending_of(name)
    encoding = encoding_by_mark(content)
    if ending not in _TEXTS or (b"\x00" in content and encoding != "utf-16"):
        raise FileRefused(_UNKNOWN)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise FileRefused("This text is not in Unicode, so it would not read well. Save it as UTF-8 or PDF.") from None
    if "\x00" in text:
        raise FileRefused(_UNKNOWN)
    if ending == "ics" and encoding == "utf-16":
        # RFC 5545, 3.1.4; calendar programs take no other.
        raise FileRefused("This calendar is in UTF-16, which calendar programs don't read. Save it as UTF-8.")
    return _TEXTS[ending]


def clean_name(name: str, kind: FileType) -> str:
    """The name under which a file is kept and handed out, with the ending of what it is."""
    return file_name(name, kind.ending)


def size_words(size: int) -> str:
    """ "12 KB", "1.4 MB": sizes as people read them (1 KB = 1,000 bytes)."""
    return f"{max(1, round(size / 1000))} KB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


def words_of(content_type: str) -> str:
    """What a kept file is, for people; pictures of a kind that was once taken too."""
    if content_type.startswith("image/"):
        return _JPEG.words
    return next((kind.words for kind in FILE_TYPES if kind.content_type == content_type), "File")
