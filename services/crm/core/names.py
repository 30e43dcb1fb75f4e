"""The words that things are found by, and what somebody types to find them. Pure."""

import re
import unicodedata
from collections.abc import Iterable

LONGEST_WORD = 100
_MOST_TERMS = 6
_PUNCTUATION = "\"'“”‘’.,;:!?()[]{}<>*"
_PHONE = re.compile(r"[\d\s()+./\-]+")
_INNER = re.compile(r"(?<=[^\w])\w|(?<=_)[^\W_]")


def fold(text: str) -> str:
    """Lower case without accents, so that "Muller" finds "Müller"."""
    decomposed = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("ø", "o").replace("Ø", "O"))
    return "".join(char for char in decomposed if not unicodedata.combining(char)).casefold()


def digits_of(phone: str) -> str:
    """A telephone number's digits alone."""
    return re.sub(r"\D", "", phone)


def words_of(text: str) -> list[str]:
    """The words of a text, and what stands behind a hyphen or a dot inside one: "Groß-Müller" is found by either."""
    found: dict[str, None] = {}
    for word in fold(text).split():
        for each in (word, word.strip(_PUNCTUATION), *(word[part.start() :] for part in _INNER.finditer(word))):
            if each:
                found[each[:LONGEST_WORD]] = None
    return list(found)


def email_words(address: str) -> list[str]:
    """An address as a whole, by each part of its name, and by its domain."""
    name, at, domain = fold(address).strip().partition("@")
    parts = [name[part.start() :] for part in _INNER.finditer(name)]
    found = [name + at + domain, *(part + at + domain for part in parts), domain]
    return [each[:LONGEST_WORD] for each in dict.fromkeys(found) if each]


def phone_words(phone: str) -> list[str]:
    """A number's digits from each of its groups on, and its last ten, seven and four: however one begins to type it."""
    groups = re.findall(r"\d+", phone)
    whole = "".join(groups)
    found = ["".join(groups[start:]) for start in range(len(groups))] + [whole[-size:] for size in (10, 7, 4)]
    return [each[:LONGEST_WORD] for each in dict.fromkeys(found) if len(each) > 2]


def text_of(words: Iterable[str]) -> str:
    """Words as a `search_text` holds them."""
    return "".join(f" {word}" for word in dict.fromkeys(words))


def search_terms(query: str) -> list[str]:
    """What each thing found must have a word for: every word typed, telephone numbers as digits however written."""
    query = query.strip()[:LONGEST_WORD]
    if _PHONE.fullmatch(query) and (digits := digits_of(query)):
        return [digits]
    terms = [word.strip(_PUNCTUATION)[:LONGEST_WORD] for word in fold(query).split()]
    return list(dict.fromkeys(term for term in terms if any(char.isalnum() for char in term)))[:_MOST_TERMS]
