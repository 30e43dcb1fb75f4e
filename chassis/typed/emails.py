"""E-mail addresses as they are pasted. Pure. Whether one can be written to is email-validator's to say."""

import re
from typing import Final

from chassis.typed.text import plain

# What programs put around an address: a scheme, a name and pointed brackets, the comma of a list.
_NAMED: Final = re.compile(r"[^<>]*<([^<>]+)>")


def clean_address(text: str) -> str:
    """The address alone: "Maria Garcia <maria@example.com>" and "mailto:maria@example.com" are maria@example.com."""
    typed = plain(text)
    if found := _NAMED.fullmatch(typed):
        typed = found.group(1).strip()
    typed = re.sub(r"^mailto:", "", typed, flags=re.IGNORECASE)
    return typed.strip(" ,;")
