"""Japanese names in Latin letters, however their long vowels and consonants are spelled. Pure.

One name is Sato, Satō, Satou and Satoh: Hepburn leaves the long vowel unmarked or writes kana by kana, passports write
it with h when asked to, Kunrei as Satô; and si, tu, hu and zi are shi, tsu, fu and ji there (ISO 3602). All of them
have one key. It finds; it never says that two people are one: Ono is 小野 as well as 大野.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

# One o or u for a long one; the h of a passport is none where a vowel follows it, as in Ohashi.
_LONG: Final = tuple(
    (re.compile(f"{vowel}(?:[{same}]|h(?![aeiou]))+"), vowel) for vowel, same in (("o", "ou"), ("u", "u"))
)
# Kunrei's consonants for Hepburn's, in this order; passports write m before lips.
_KUNREI: Final = tuple(
    (re.compile(pattern), written)
    for pattern, written in (
        ("[ct](?=ch)", "t"),
        ("ch(?=i)", "t"),
        ("ch", "ty"),
        ("sh(?=i)", "s"),
        ("sh", "sy"),
        ("tsu", "tu"),
        ("j(?=i)", "z"),
        ("jy?", "zy"),
        ("f(?=u)", "h"),
        ("d(?=[ui])", "z"),
        ("dz", "z"),
        ("m(?=[bmp])", "n"),
    )
)
_SYLLABLES: Final = re.compile(r"(?:(?:[kgsztdnhbpmr]?y?|w)[aiueo]|n(?![aiueoy])|([kstp])(?=\1))+", re.ASCII)
_LONGEST: Final = 40
_FEWEST: Final = 2


def key_of(word: str) -> str:
    """What all spellings of a folded word have in common; empty for what can be no Japanese name."""
    if not _FEWEST <= len(word) <= _LONGEST:
        return ""
    for pattern, written in (*_LONG, *_KUNREI):
        word = pattern.sub(written, word)
    return word if _SYLLABLES.fullmatch(word) else ""


def marked(key: str) -> str:
    """A key as a word of an index; no name that somebody types looks like it."""
    return f"^{key}"


def stored(folded: Iterable[str]) -> Iterator[str]:
    """The words by which a reading is found, of its folded words."""
    yield from (marked(key) for word in folded if (key := key_of(word)))


def sought(terms: list[str]) -> Iterator[list[str]]:
    """The ways to look for what was typed in Latin letters: each word by its key, and of two also only one so, for a
    name half of which is not read."""
    ways = [marked(key) if (key := key_of(term)) else "" for term in terms]
    if all(ways):
        yield ways
    if len(terms) == 2:
        yield from ([way, other] for way, other in ((ways[0], terms[1]), (terms[0], ways[1])) if way and other)
