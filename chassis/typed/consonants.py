"""Names in scripts that leave vowels unwritten (Arabic, Hebrew) or within consonants (India's, Thai). Pure.

محمد is Mohammed, Muhammad and Mohamed in passports; शर्मा is Sharma. No table has all of these, but what is left when
vowels, and marks of how a consonant is spoken, are taken off is the same: mhmd, srm. It finds; it never says that two
people are one, because Hassan and Hussein have the same consonants as well.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final

# Arabic, Hebrew, the scripts of India, Thai, Lao, Burmese, Khmer.
_UNVOWELLED: Final = re.compile("[\u0590-\u06ff\u0750-\u077f\u0900-\u0dff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
# Two Latin letters for one of theirs, and letters that only spelling tells apart.
_ALIKE: Final = tuple(
    (re.compile(pattern), letter)
    for pattern, letter in (
        ("(?<=n)gh?$", ""),
        ("s?ch|[ckg]h|[cqx]", "k"),
        ("sh", "s"),
        ("th", "t"),
        ("dh", "d"),
        ("ph", "f"),
        ("bh", "b"),
        ("[gz]", "j"),
        ("[aeiouwy]", ""),
        ("(?<=.)h+$", ""),
        (r"(.)\1+", r"\1"),
    )
)
# India's sign for a nasal: n as in Singh and Sanjay; before lips it stays m.
_NASAL: Final = re.compile("\u0902(?![\u092a-\u092e])|\u0a70(?![\u0a2a-\u0a2e])")
_LONGEST: Final = 60
_FEWEST: Final = 2
_FEWEST_TOGETHER: Final = 3


def marked(consonants: str) -> str:
    """A word of an index that is found whole or not at all; no name that somebody types looks like it."""
    return f"@{consonants[:_LONGEST]}@"


def consonants_of(word: str) -> str:
    """What is left of a folded word."""
    for pattern, letter in _ALIKE:
        word = pattern.sub(letter, word)
    return word


def is_unvowelled(text: str) -> bool:
    """Whether a word is in one of these scripts."""
    return bool(_UNVOWELLED.search(text))


def spoken(word: str) -> str:
    """The word with the nasal written out that its sign stands for."""
    return _NASAL.sub("\u0928", word)


def stored(folded: Iterable[str]) -> Iterator[str]:
    """The words by which folded words of these scripts are found: each, and each two that stand together."""
    words = list(folded)
    for word in (*words, *(one + other for one, other in pairwise(words))):
        if consonants := consonants_of(word):
            yield marked(consonants)


def sought(terms: list[str]) -> Iterator[list[str]]:
    """The ways to look for what was typed in Latin letters: word by word, as one word, and of two only one so, for a
    name half of which is written in Latin letters."""
    if not all(term.isalpha() for term in terms):
        return
    for words in ([terms], [terms, ["".join(terms)]])[len(terms) > 1]:
        # Hebrew's ח is written ch as well.
        for way in dict.fromkeys((tuple(words), tuple(word.replace("ch", "h") for word in words))):
            found = [consonants_of(word) for word in way]
            fewest = _FEWEST if len(found) == 1 else _FEWEST_TOGETHER
            if all(found) and sum(map(len, found)) >= fewest:
                yield [marked(each) for each in found]
    if len(terms) == 2:
        one, other = (marked(consonants_of(term)) for term in terms)
        yield from ([one, terms[1]], [terms[0], other])
