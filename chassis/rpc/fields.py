"""Checks of what a request's fields may hold. Each raises InvalidArgument that names the field."""

import re
from typing import Final

from chassis.errors import InvalidArgument

_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def identifier(value: str, field: str) -> str:
    """An id: 1 to 64 letters, digits, `_ . : -`, beginning with a letter or digit."""
    if not _IDENTIFIER.fullmatch(value):
        raise InvalidArgument(f"{field} is missing or is not an identifier.", field=field)
    return value


def one_line(value: str, field: str, *, longest: int, required: bool = False) -> str:
    """A person's text on one line: control characters become spaces, ends are trimmed."""
    cleaned = _UNPRINTABLE.sub(" ", value).strip()
    if len(cleaned) > longest:
        raise InvalidArgument(f"{field} is longer than {longest} characters.", field=field)
    if required and not cleaned:
        raise InvalidArgument(f"{field} is missing.", field=field)
    return cleaned


def clipped(value: str, longest: int) -> str:
    """A text from outside that may be of any shape (a user agent): one line, cut to length, never refused."""
    return _UNPRINTABLE.sub(" ", value[: longest * 2]).strip()[:longest]


def whole_number(value: int, field: str, *, least: int, most: int) -> int:
    """A number within its limits."""
    if not least <= value <= most:
        raise InvalidArgument(f"{field} must be from {least} to {most}.", field=field)
    return value
