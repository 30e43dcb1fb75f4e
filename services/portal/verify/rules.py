"""What can be said of a file that claims to be a signed document. Pure."""

import re
import zlib
from enum import StrEnum

# A signed document has some tens of kilobytes; one with a long text in Chinese type a few hundred.
MAX_FILE = 8 * 1024 * 1024
CHECKS_PER_HOUR = 60
_DOCUMENT_ID = re.compile(rb"doc_[a-z2-7]{26}")
_IN_HEXADECIMAL = re.compile(rb"(?i)64(?:00)?6f(?:00)?63(?:00)?5f(?:00)?(?:[3567][0-9a-f](?:00)?){26}")
_STREAM = re.compile(rb"stream\r?\n")
_MOST_STREAMS = 400
_MOST_UNPACKED = 16 * 1024 * 1024


class Finding(StrEnum):
    """What a check found.

    altered: the file bears the number of a document that was signed here, and is not that document any more.
    """

    GENUINE = "genuine"
    ALTERED = "altered"
    UNKNOWN = "unknown"


def read_hash(text: str) -> str:
    """The SHA-256 in what a person pasted, in lower case: blanks and colons between its digits don't matter. Empty
    when it is not one."""
    found = re.sub(r"[\s:]", "", text).lower()
    return found if re.fullmatch(r"[0-9a-f]{64}", found) else ""


def read_reference(text: str) -> str:
    """The document number in what a person pasted, or empty."""
    found = re.search(r"doc_[a-z2-7]{26}", text.strip().lower())
    return found.group() if found else ""


def looks_like_pdf(content: bytes) -> bool:
    """Whether the file is a PDF at all (ISO 32000-1, 7.5.2: the header stands within the first 1,024 bytes)."""
    return b"%PDF-" in content[:1024]


def number_in(content: bytes) -> str:
    """The document number that a PDF bears, also when a program has packed its parts anew; empty when it has none.

    Never unpacks more than a bounded amount, whatever the file claims to hold.
    """
    if found := _number(content):
        return found
    left = _MOST_UNPACKED
    for count, start in enumerate(_STREAM.finditer(content)):
        if count >= _MOST_STREAMS or left <= 0:
            break
        unpacked = _unpack(content, start.end(), left)
        left -= len(unpacked)
        if found := _number(unpacked):
            return found
    return ""


def _unpack(content: bytes, start: int, limit: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(memoryview(content)[start:], limit)
    except zlib.error:
        return b""


def _number(content: bytes) -> str:
    # A text in a PDF may stand in UTF-16, where every other byte is nought, with its signs escaped (ISO 32000-1,
    # 7.3.4.2: \137 is the underscore), or in hexadecimal (7.3.4.3).
    for form in (content, content.replace(b"\0", b"").replace(rb"\137", b"_")):
        if found := _DOCUMENT_ID.search(form):
            return found.group().decode()
    for match in _IN_HEXADECIMAL.finditer(content):
        if found := _DOCUMENT_ID.search(bytes.fromhex(match.group().decode()).replace(b"\0", b"")):
            return found.group().decode()
    return ""
