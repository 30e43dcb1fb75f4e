"""Whole numbers as people type them, of any script's digits and never without bounds. Pure."""

import re
from typing import Final

from chassis.typed.text import describe, plain

# More digits than this are no number that anything here counts; Python's own int would take minutes over a book.
_DIGITS_AT_MOST: Final = 12

_MINUS: Final = str.maketrans(dict.fromkeys("\u2212\u2012\u2013\u2014", "-"))


class NumberError(ValueError):
    """A number that can't be read; the message is safe to show to the person who typed it."""


def read_number(text: str) -> int:
    """ "12", "+12", "-3", "1,200". Raises NumberError with a text for the person."""
    typed = plain(text).translate(_MINUS)
    found = re.fullmatch(r"([+-]?)([0-9]+|[0-9]{1,3}(?:[ ,'’][0-9]{3})+)", typed)
    if found is None:
        odd = re.search(r"[^0-9+\- ]", typed)
        hint = f" without {describe(odd.group())}" if odd and re.search(r"[0-9]", typed) else ""
        raise NumberError(f"Enter a whole number{hint}, such as 14.")
    digits = re.sub(r"[^0-9]", "", found.group(2)).lstrip("0") or "0"
    if len(digits) > _DIGITS_AT_MOST:
        raise NumberError("That number is too large. Check its digits.")
    return -int(digits) if found.group(1) == "-" else int(digits)


def number_from(text: str, *, least: int = 0, most: int = 10**_DIGITS_AT_MOST, otherwise: int = 0) -> int:
    """A number of an address or a hidden field, which nobody types: `otherwise` for nonsense and out of bounds."""
    try:
        found = read_number(text)
    except NumberError:
        return otherwise
    return found if least <= found <= most else otherwise
