"""Texts with tags such as {ClientFirstName}, which a person writes and the system fills."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

_TAG: Final = re.compile(r"\{([A-Za-z][A-Za-z0-9]*)\}")
_AFTER_BLANK: Final = re.compile(r"(?P<blank> ?)\{(?P<tag>[A-Za-z][A-Za-z0-9]*)\}")


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with each tag replaced, once: a value that looks like a tag stays as it is. Unknown tags stay too.

    A tag without a value takes the blank before it along: "Dear {ClientFirstName} {ClientLastName}," is "Dear Suharto,"
    for somebody who has one name.
    """

    def value_of(found: re.Match[str]) -> str:
        value = values.get(found["tag"], f"{{{found['tag']}}}")
        return found["blank"] + value if value else ""

    return _AFTER_BLANK.sub(value_of, text)


def unknown_tags(text: str, known: Iterable[str]) -> list[str]:
    """The tags of a text that are none of the known ones, each once, as written."""
    allowed = set(known)
    return list(dict.fromkeys(found for found in _TAG.findall(text) if found not in allowed))
