"""Texts with tags such as {ClientFirstName}, which a person writes and the system fills."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

_AFTER_BLANK: Final = re.compile(r"(?P<blank> ?)\{(?P<tag>[A-Za-z][A-Za-z0-9]*)\}")
# Whatever somebody may have meant as a tag: braces, what stands between them, or one that stands alone.
_MEANT: Final = re.compile(r"\{+[^{}\n]*\}*|\}+")
_BARE: Final = re.compile(r"(?<!\w)[A-Z][A-Za-z0-9]++(?!\w)")
_LETTERS: Final = re.compile(r"[A-Za-z0-9]+")
_LONGEST_SHOWN: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """Something in braces that is no tag. `nearest` is the tag it looks like; empty where none does."""

    written: str
    nearest: str


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with each tag replaced, once: a value that looks like a tag stays as it is. Unknown tags stay too.

    A tag without a value takes the blank before it along: "Dear {ClientFirstName} {ClientLastName}," is "Dear Suharto,"
    for somebody who has one name.
    """

    def value_of(found: re.Match[str]) -> str:
        value = values.get(found["tag"], f"{{{found['tag']}}}")
        return found["blank"] + value if value else ""

    return _AFTER_BLANK.sub(value_of, text)


def slips(text: str, known: Iterable[str]) -> list[Slip]:
    """What was meant as a tag and is none of the known ones as they are written, each once: {ClientFristName},
    {client first name}, {{AgentName}}, a brace that is never closed, [ClientName] and %ClientName%."""
    names = {name.lower(): name for name in known}
    whole = {f"{{{name}}}" for name in names.values()}
    found = dict.fromkeys(token for token in _MEANT.findall(text) if token not in whole)
    # Today is a word too; nobody writes ClientName but as a tag, whatever other programs have in place of braces.
    several = {name for name in names.values() if sum(char.isupper() for char in name) > 1}
    found |= dict.fromkeys(word for word in _BARE.findall(_MEANT.sub(" ", text)) if word in several)
    return [Slip(written=_shown(token), nearest=_nearest(token, names)) for token in found]


def slips_message(found: Iterable[Slip], known: Iterable[str]) -> str:
    """Says of each slip which tag was probably meant; lists the tags where nothing is near."""
    words = []
    for slip in found:
        if slip.nearest:
            words.append(f"{slip.written} is not a tag. Did you mean {{{slip.nearest}}}?")
        else:
            listed = ", ".join(f"{{{name}}}" for name in known)
            words.append(f"{slip.written} is not a tag. The tags are: {listed}.")
    return " ".join(words)


def _nearest(token: str, names: Mapping[str, str]) -> str:
    closed = token.endswith("}")
    parts = _LETTERS.findall(token)
    # Of an unclosed brace only the first word can be meant: the rest of the line follows it.
    letters = ("".join(parts) if closed else "".join(parts[:1])).lower()
    near = get_close_matches(letters[:80], list(names), n=1, cutoff=0.7)
    return names[near[0]] if near else ""


def _shown(token: str) -> str:
    return token if len(token) <= _LONGEST_SHOWN else f"{token[:_LONGEST_SHOWN]}…"
