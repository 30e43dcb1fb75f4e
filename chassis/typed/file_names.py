"""Names of files that people choose, as browsers send them. Pure."""

import re
from typing import Final

from chassis.typed.text import clean_line

_LONGEST_STEM: Final = 100
# File systems take 255 bytes with the ending.
_MOST_STEM_BYTES: Final = 240
_LONGEST_ENDING: Final = 10
_SIGNS: Final = re.compile(r'[<>:"|?*;]')
# What Windows takes for a device, whatever ending it has; the raised digits as well ("Naming Files, Paths, and
# Namespaces" of Microsoft's documentation).
_DEVICES: Final = frozenset(
    {"CON", "PRN", "AUX", "NUL", *(f"{port}{number}" for port in ("COM", "LPT") for number in "0123456789¹²³")}
)


def ending_of(name: str) -> str:
    """The ending in small letters; empty where there is none. What Windows leaves off behind it, a blank or a dot, does
    not count, nor what nobody sees."""
    _, dot, ending = clean_line(name).rstrip(". ").rpartition(".")
    return ending.lower() if dot and len(ending) <= _LONGEST_ENDING and " " not in ending else ""


def file_name(name: str, ending: str = "") -> str:
    """A name under which a file is shown, kept and handed out: no folders, nothing unseen or that turns the direction
    of text ("fdp.exe" must not read as "exe.pdf"), no device's name. `ending` = that of what the file really is;
    without it the name keeps its own."""
    plain = clean_line(name).replace("\\", "/").rpartition("/")[2]
    own = ending_of(plain)
    stem = plain.rstrip(". ")[: -len(own) - 1] if own else plain
    ending = ending or re.sub(r"\W", "", own)
    # "tickets.pdf.exe" that is a PDF.
    stem = stem[: -len(ending) - 1] if ending and stem.lower().endswith(f".{ending}") else stem
    stem = " ".join(_SIGNS.sub(" ", stem).split()).strip(". ")[:_LONGEST_STEM]
    stem = stem.encode()[:_MOST_STEM_BYTES].decode("utf-8", "ignore").rstrip(". ")
    if stem.partition(".")[0].rstrip().upper() in _DEVICES:
        stem = f"file {stem}"
    return f"{stem or 'document'}.{ending}" if ending else stem or "document"
