"""Names as people look for them and sort them: however their letters are marked, stroked, folded or parted.

Everything is reduced to lower-case ASCII letters and digits by anyascii (a transliteration of all of Unicode), so both
databases compare the same bytes. Where a language also writes a marked letter with two ("Müller", "Mueller"), both
spellings count.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

import phonenumbers
from anyascii import anyascii

from chassis.typed import consonants, japanese
from chassis.typed.romanised import japanese_readings, romanised
from chassis.typed.text import clean_line, plain

LONGEST_WORD: Final = 100
# A sort key holds two names of at most 80 characters; transliteration makes some longer.
LONGEST_KEY: Final = 200
_MOST_TERMS: Final = 6
# The second way to spell a letter, where its language has one: German, the Nordic languages, Croatian, Japanese.
_SPELLED: Final = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "đ": "dj", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "Å": "Aa"}
    | {"Ø": "Oe", "Đ": "Dj", "ō": "ou", "Ō": "Ou"}
)
# Accents that stand for an apostrophe; Unicode's compatibility form would part the word with a blank.
_APOSTROPHES: Final = str.maketrans(dict.fromkeys("´`’‘ʼʻ′", "'"))
# Points and signs of Arabic and Hebrew, which most people leave out, and Persia's and Egypt's yeh.
_POINTS: Final = re.compile(
    "[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u0652\u0656-\u065f\u0670]"
)
_YEHS: Final = str.maketrans("\u0649\u06cc", "\u064a\u064a")
# Where a word may be parted, so that each part is found too: "Anne-Marie", "O'Brien", "J.R.", "d’Angelo".
_PARTS: Final = re.compile(r"[^\W_]+")
_PHONE: Final = re.compile(r"[\d\s()+./\-]+")
# Between the first and the last name in a key: sorts before every letter.
_BETWEEN: Final = "\x1f"


def fold(text: str) -> str:
    """Lower-case ASCII: "Müller" is "muller", "Đoković" "dokovic", "Горбачёв" "gorbachev". Punctuation stays."""
    composed = unicodedata.normalize("NFKC", clean_line(text).translate(_APOSTROPHES))
    if not composed.isascii():
        composed = _POINTS.sub("", unicodedata.normalize("NFKD", composed) if _POINTS.search(composed) else composed)
    return anyascii(unicodedata.normalize("NFC", composed).translate(_YEHS)).casefold()


def spelled(text: str) -> str:
    """As fold, with the letters that a language also writes with two: "Müller" is "mueller", "Bjørn" "bjoern"."""
    return fold(unicodedata.normalize("NFC", clean_line(text)).translate(_SPELLED))


def letters(folded: str) -> str:
    """A folded word's letters and digits alone; an e-mail address keeps its @."""
    return re.sub(r"[^a-z0-9@]", "", folded)


def foldings(text: str) -> list[str]:
    """Every spelling: letter for letter, as languages write marked letters with two, and as passports have it."""
    if text.isascii():
        return [fold(text)]
    ways = (fold(text), spelled(text), *map(fold, romanised(clean_line(text))))
    return [way for way in dict.fromkeys(ways) if way] or [""]


def words_of(text: str, *, together: int = 4) -> list[str]:
    """The words by which something is found that is called so.

    Each word counts from each of its parts on ("Anne-Marie": annemarie, marie) and with the words after it, `together`
    of them at most ("de la Cruz": delacruz, lacruz, cruz): a search compares beginnings, so it is found however one
    parts it.
    """
    found: dict[str, None] = {}
    for folded in foldings(text):
        words = [[letters(part) for part in _PARTS.findall(word.replace("_", " "))] for word in folded.split()]
        found |= dict.fromkeys(letters(word)[:LONGEST_WORD] for word in folded.split() if "@" in word)
        for index, parts in enumerate(words):
            after = "".join(part for word in words[index + 1 : index + together] for part in word)
            for start in range(len(parts)):
                found["".join([*parts[start:], after])[:LONGEST_WORD]] = None
    unvowelled = filter(consonants.is_unvowelled, clean_line(text).split())
    heard = consonants.stored(letters(fold(consonants.spoken(word))) for word in unvowelled)
    read = (letters(word) for reading in japanese_readings(clean_line(text)) for word in fold(reading).split())
    return [word for word in dict.fromkeys((*found, *heard, *japanese.stored(read))) if word]


def email_words(address: str) -> list[str]:
    """An address as a whole, by each part of its name, and by its domain."""
    name, at, domain = fold(plain(address)).partition("@")
    parts = [name[part.start() :] for part in _PARTS.finditer(name.replace("_", " "))]
    found = [letters(each) for each in (name + at + domain, *(part + at + domain for part in parts), domain)]
    return [each[:LONGEST_WORD] for each in dict.fromkeys(found) if each]


def digits_of(phone: str) -> str:
    """A telephone number's digits alone."""
    return re.sub(r"[^0-9]", "", plain(phone))


def phone_words(phone: str) -> list[str]:
    """A number's digits from each of its groups on, and its last ten, seven and four: however one begins to type it."""
    groups = re.findall(r"[0-9]+", plain(phone))
    whole = "".join(groups)
    found = ["".join(groups[start:]) for start in range(len(groups))] + [whole[-size:] for size in (10, 7, 4)]
    return [each[:LONGEST_WORD] for each in dict.fromkeys(found) if len(each) > 2]


def text_of(words: Iterable[str]) -> str:
    """Words as a `search_text` holds them."""
    return "".join(f" {word}" for word in dict.fromkeys(words))


def search_terms(query: str) -> list[str]:
    """The words typed, each as the words that things are found by; a telephone number as its digits."""
    ways = search_ways(query)
    return ways[0] if ways else []


def search_ways(query: str) -> list[list[str]]:
    """The ways to read what somebody typed. A thing is found when, by one of them, it has every word.

    As typed; with the second spelling; and, because names are parted differently ("O Brien", "O'Brien"), with each
    two neighbouring words as one, and all of them. What is typed in Latin letters also by its consonants, for names in
    scripts without vowels, and as any spelling of a Japanese name.
    """
    query = clean_line(query)[:LONGEST_WORD]
    if _PHONE.fullmatch(plain(query)) and (digits := digits_of(query)):
        return [[way] for way in _dialled(plain(query), digits)]
    ways: dict[tuple[str, ...], None] = {}
    for folded in foldings(query):
        words = [letters(word)[:LONGEST_WORD] for word in folded.split()]
        terms = list(dict.fromkeys(word for word in words if word.strip("@")))[:_MOST_TERMS]
        for way in _joined(terms):
            ways[tuple(way)] = None
    if not consonants.is_unvowelled(query) and (typed := next(iter(ways), ())):
        ways |= dict.fromkeys(map(tuple, (*consonants.sought(list(typed)), *japanese.sought(list(typed)))))
    return [list(way) for way in ways if way]


def sort_key(first_name: str, last_name: str) -> str:
    """What people are sorted by: last name, then first; somebody with one name by that. No case, mark, blank or
    punctuation counts, so that two spellings of one name have one key."""
    last, first = letters(fold(last_name)), letters(fold(first_name))
    return _BETWEEN.join(part for part in (last, first) if part)[:LONGEST_KEY]


def title_key(title: str) -> str:
    """What things with a title are sorted by: its words, without case, marks and punctuation."""
    words = (letters(word) for word in fold(title).split())
    return " ".join(word for word in words if word)


def name_keys(first_name: str, last_name: str) -> frozenset[str]:
    """What two spellings of one person's name share at least one of, whichever field holds which name."""
    keys: set[str] = set()
    for way in (fold, spelled):
        first, last = letters(way(first_name)), letters(way(last_name))
        keys |= {last + first, first + last}
    return frozenset(keys - {""})


def may_be_one(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two first and last names may be one person's: spelled differently, or with a first name cut short
    ("Ellie" for "Eleanor"). A couple shares a last name and an address, rarely the beginning of their first names."""
    if name_keys(*one) & name_keys(*other):
        return True
    last = {letters(way(one[1])) for way in (fold, spelled)} & {letters(way(other[1])) for way in (fold, spelled)}
    firsts = [letters(fold(first))[:2] for first, _ in (one, other)]
    return bool(last - {""}) and firsts[0] == firsts[1] and len(firsts[0]) == 2


def full_name(first_name: str, last_name: str) -> str:
    """ "Maria Garcia"; somebody with one name by that alone."""
    return " ".join(part for part in (first_name.strip(), last_name.strip()) if part)


def called(first_name: str, last_name: str) -> str:
    """How somebody is addressed: the first name, or the only one."""
    return first_name.strip() or last_name.strip()


def by_last_name(first_name: str, last_name: str) -> str:
    """ "Garcia, Maria"; somebody with one name by that alone."""
    return ", ".join(part for part in (last_name.strip(), first_name.strip()) if part)


def _dialled(typed: str, digits: str) -> list[str]:
    """A number as it was typed; without the zeros that are dialled before it; and one with a country's code as it is
    dialled within that country, because there people write it so."""
    ways = [digits, digits.removeprefix("00").removeprefix("0")]
    if (whole := international(typed)) is not None:
        national = phonenumbers.national_significant_number(whole)
        ways += [f"{whole.country_code}{national}", national, f"0{national}"]
    return list(dict.fromkeys(way for way in ways if len(way) > 2)) or [digits]


def international(number: str) -> phonenumbers.PhoneNumber | None:
    """A number with its country's code, after a plus or what is dialled for one (00, and 011 in America)."""
    dialled = re.sub(r"^(?:00|011)[ ./\-]*(?=[1-9(])", "+", number.lstrip("( "))
    if not dialled.startswith("+"):
        return None
    try:
        return phonenumbers.parse(dialled)
    except phonenumbers.NumberParseException:
        return None


def _joined(terms: list[str]) -> list[list[str]]:
    ways = [terms]
    if 1 < len(terms) <= 4 and not any("@" in term for term in terms):
        ways += [[*terms[:at], terms[at] + terms[at + 1], *terms[at + 2 :]] for at in range(len(terms) - 1)]
        ways += [["".join(terms)]] if len(terms) > 2 else []
    return ways
