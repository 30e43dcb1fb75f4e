"""Looks for card numbers in the text of a file before it is kept (docs/security.md, Card data).

Stricter about what counts than the web layer's tripwire, since travel papers are full of long numbers: an airline's
ticket number has 13 digits. Here a card has 14 to 19 digits, one of the known beginnings, and a right check digit.
A picture's text is not read.
"""

import io
import re
import zipfile
from typing import Final

from pypdf import PageObject, PdfReader
from pypdf.errors import PyPdfError

from chassis.cards import luhn_valid
from services.crm.trips.documents.rules import DOCX, PDF, PPTX, XLSX, FileType

_DIGITS: Final = re.compile(r"(?<![\d.,])\d(?:[ \u00a0\-\u2010-\u2015]?\d){13,18}(?![\d])")
# ISO/IEC 7812 beginnings with the lengths in use: Visa, Mastercard, American Express, Discover, Diners Club, JCB,
# UnionPay, Maestro.
_CARDS: Final = re.compile(
    r"4\d{15}(\d{3})?|(5[1-5]\d{2}|222[1-9]|22[3-9]\d|2[3-6]\d{2}|27[01]\d|2720)\d{12}|3[47]\d{13}"
    r"|6(011|4[4-9]\d|5\d{2})\d{12}|3(0[0-5]|[68]\d)\d{11}|35(2[89]|[3-8]\d)\d{12}|62\d{14,17}|(50|5[6-9]|6[37])\d{14}"
)
# Reading one takes some 50 ms, and forms with a card number are short.
_PAGES: Final = 25
_XML_BYTES: Final = 20 * 1024 * 1024
# Ends of paragraphs and cells: numbers of neighbours must not run together.
_BREAKS: Final = re.compile(r"</(?:w:p|a:p|w:tc|si|c|v|row|text:p|text:h|table:table-cell)>")
# What pypdf raises on broken files, besides its own.
_UNREADABLE = (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OverflowError)
_TAGS: Final = re.compile(r"<[^>]*>")


def holds_card(content: bytes, kind: FileType) -> bool:
    """Whether the file's text holds what looks like a card number."""
    return any(
        _CARDS.fullmatch(digits) and luhn_valid(digits)
        for found in _DIGITS.finditer(_text_of(content, kind))
        if (digits := re.sub(r"\D", "", found.group()))
    )


def _text_of(content: bytes, kind: FileType) -> str:
    if kind.content_type.startswith("text/"):
        return content.decode("utf-8", "replace")
    if kind is PDF:
        return _pdf_text(content)
    if kind in (DOCX, XLSX, PPTX) or kind.ending.startswith("od"):
        return _office_text(content)
    return ""


def _pdf_text(content: bytes) -> str:
    """The text of the first pages. What pypdf can't read has no text here: it is shared as it is."""
    try:
        pages = list(PdfReader(io.BytesIO(content)).pages[:_PAGES])
    except _UNREADABLE:
        return ""
    return "\n".join(_page_text(page) for page in pages)


def _page_text(page: PageObject) -> str:
    try:
        return page.extract_text()
    except _UNREADABLE:
        return ""


def _office_text(content: bytes) -> str:
    left, texts = _XML_BYTES, []
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            if not entry.filename.endswith(".xml") or entry.file_size > left:
                continue
            left -= entry.file_size
            try:
                xml = archive.read(entry).decode("utf-8", "replace")
            except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError):
                continue
            texts.append(_TAGS.sub("", _BREAKS.sub("\n", xml)))
    return "\n".join(texts)
