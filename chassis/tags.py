"""Texts with tags such as {ClientFirstName}, which a person writes and the system fills."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

_TAG: Final = re.compile(r"\{([A-Za-z][A-Za-z0-9]*)\}")


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with each tag replaced, once: a value that looks like a tag stays as it is. Unknown tags stay too."""
    return _TAG.sub(lambda found: values.get(found.group(1), found.group(0)), text)


def unknown_tags(text: str, known: Iterable[str]) -> list[str]:
    """The tags of a text that are none of the known ones, each once, as written."""
    allowed = set(known)
    return list(dict.fromkeys(found for found in _TAG.findall(text) if found not in allowed))
