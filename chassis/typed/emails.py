"""E-mail addresses as they are pasted. Pure. Whether one can be written to is email-validator's to say."""

import re
from typing import Final

from chassis.typed.text import plain

# What programs put around an address: a scheme, a name and pointed brackets, the comma of a list.
_NAMED: Final = re.compile(r"[^<>]*<([^<>]+)>")
_LABEL: Final = re.compile(
    r"^(?:mailto:(?://)?|e-?mail\. ?|[^\W\d_]{1,15}(?:-[^\W\d_]{1,15}){0,2}(?: address)? ?:(?!//) ?)", re.IGNORECASE
)
# "maria@example.com (home)": a comment, as RFC 5322 has it.
_COMMENT: Final = re.compile(r"(?<=[^\s()]) ?\([^()@]*\)$")
_APOSTROPHES: Final = str.maketrans(dict.fromkeys("‘’ʼ", "'"))
_AROUND: Final = " ,;"
_PAIRS: Final = (("<", ">"), ("(", ")"), ("[", "]"), ('"', '"'), ("'", "'"), ("“", "”"), ("‘", "’"), ("«", "»"))


def clean_address(text: str) -> str:
    """The address alone: "Maria Garcia <maria@example.com>" and "mailto:maria@example.com" are maria@example.com."""
    typed = plain(text).strip(_AROUND)
    if found := _NAMED.fullmatch(typed):
        typed = found.group(1).strip()
    if link := _LABEL.match(typed):
        typed = typed[link.end() :]
        if link.group().lower().startswith("mailto"):
            typed = typed.partition("?")[0]
    typed = _COMMENT.sub("", typed)
    for before, after in _PAIRS:
        if typed.startswith(before) and typed.endswith(after):
            typed = typed[1:-1]
    if "@" not in typed:
        typed = re.sub("%40", "@", typed, count=1)
    # What phones make of an apostrophe; no mailbox has another.
    name, at, domain = typed.rpartition("@")
    typed = name.translate(_APOSTROPHES) + at + domain
    # The full stop of the sentence, or of a name written down to its root.
    return re.sub(r" ?@ ?", "@", typed.strip(_AROUND), count=1).rstrip(".>")
