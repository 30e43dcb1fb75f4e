"""Text as it was meant: without what nobody sees, in one Unicode form, with the spaces and digits everybody has.

A phone's address book puts U+202D before numbers, web pages copy non-breaking spaces, word processors U+2011, and some
keyboards type full-width or Arabic digits. None of it is what the person meant by it.
"""

import re
import unicodedata
from typing import Final

# Compatibility forms of the same letter: full and half width, mathematical alphabets, Arabic's shapes from PDFs, and
# the hyphen that does not break. Others (½, ², ª, …) mean something and stay.
_SAME_LETTER: Final = ("<wide>", "<narrow>", "<font>", "<initial>", "<medial>", "<final>", "<isolated>", "<noBreak>")
# What stands beside a number or a word, or in its place, and is not its like: 2², 1º, ½, ①.
_MARKS_BESIDE: Final = ("<super>", "<sub>", "<fraction>", "<circle>")
# Japanese keyboards give the sign of a long vowel where a hyphen is meant: 090ー1234ー5678.
_KANA_HYPHEN: Final = re.compile(r"(?<=[0-9\uff10-\uff19])\u30fc(?=[0-9\uff10-\uff19])")
_HYPHENS: Final = dict.fromkeys(map(ord, "\u2010\u2011\ufe63\uff0d"), "-")
# Letters and symbols by their category that draw nothing: Hangul fillers, Khmer's inherent vowels, the grapheme joiner,
# Mongolian variation selectors, Braille's blank, a musical null, the replacement of an object.
_BLANK_LETTERS: Final = frozenset(
    "\u115f\u1160\u3164\uffa0\u17b4\u17b5\u034f\u180b\u180c\u180d\u180f\u2800\ufffc\U0001d159"
)
# They choose the form of the letter before them (variation selectors) or of the vowel behind them (vowel separator).
_MONGOLIAN_FORMS: Final = "\u180b\u180c\u180d\u180e\u180f"
_MONGOLIAN: Final = re.compile("[\u1820-\u18aa]")
# Code points of C1 are no text; what has them was written in Windows-1252, in which they are quotes and letters. U+0085
# is a line's end in Unicode.
_OF_WINDOWS: Final = {
    code: char
    for code in range(0x80, 0xA0)
    if code != 0x85 and (char := bytes([code]).decode("cp1252", errors="ignore"))
}
_VIRAMA: Final = 9
# Variation selectors: they choose a drawing of the character before them, and mean nothing alone.
_SELECTORS: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
# They join or part letters of Arabic's and India's scripts, and emoji; between other letters nobody means them.
_JOINERS: Final = "\u200c\u200d"
_CURSIVE: Final = re.compile(
    "[\u0600-\u08ff\u0900-\u0dff\u0e80-\u0eff\u1000-\u109f\u1780-\u18af\ua840-\ua8ff\ufe00-\ufe0f\u2190-\u2bff\U0001f000-\U0001faff]"
)
_TAGS: Final = re.compile("[\U000e0020-\U000e007f]")

_UTF_16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")


def encoding_by_mark(content: bytes) -> str:
    """How a text file is to be read, by the mark at its beginning: "utf-16" ("Unicode" in Notepad and Excel), or
    "utf-8-sig", which is UTF-8 with or without one."""
    return "utf-16" if content.startswith(_UTF_16_MARKS) else "utf-8-sig"


def clean_text(text: str) -> str:
    """Text of several lines: NFC, without unseen characters, every space a space; lines and tabs stay."""
    if text.isascii():
        return _without_controls(text).strip()
    text = unicodedata.normalize("NFC", text.translate(_OF_WINDOWS))
    known = "".join(map(_same_letter, text))
    cleaned = unicodedata.normalize("NFC", _without_unseen(known)).strip()
    # What is left of joiners has nothing to join.
    return cleaned if cleaned.strip(_JOINERS + " \t\n") else ""


def clean_line(text: str) -> str:
    """As clean_text, for one line: every run of blanks and line ends is one space."""
    return " ".join(clean_text(text).split())


def plain(text: str) -> str:
    """A line for what is written in ASCII wherever it is typed (numbers, codes, addresses): compatibility forms are
    undone (NFKC) and every script's digits are 0 to 9. Raised and lowered letters and digits (², ¹, ½, ①) stay what
    they are: a footnote's mark behind a number is no digit of it."""
    cleaned = clean_line(text)
    if cleaned.isascii():
        return cleaned
    folded = _KANA_HYPHEN.sub("-", "".join(map(_compatible, cleaned)).translate(_HYPHENS))
    folded = unicodedata.normalize("NFC", folded)
    return clean_line("".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in folded))


def _compatible(char: str) -> str:
    if char.isascii() or unicodedata.decomposition(char).startswith(_MARKS_BESIDE):
        return char
    return unicodedata.normalize("NFKC", char)


def draws(text: str) -> bool:
    """Whether the text has a letter or a digit, so that it can be a name, a signature or an answer."""
    return any(char.isalnum() and char not in _BLANK_LETTERS for char in text)


def has_letter(text: str) -> bool:
    """Whether the text has a letter that is drawn: what a name and a signature need."""
    return any(char.isalpha() and char not in _BLANK_LETTERS for char in text)


def describe(char: str) -> str:
    """A character for a message, so that the person finds it: “é”, or an unseen one by its Unicode name."""
    name = unicodedata.name(char, f"U+{ord(char):04X}")
    if char == " ":
        return "a blank"
    if not char.isprintable() or char in _BLANK_LETTERS or unicodedata.category(char)[0] in "CZM":
        return f"an unseen character ({name.lower()})"
    return f"“{char}”"


def _without_controls(text: str) -> str:
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "", text)


def _same_letter(char: str) -> str:
    if char.isascii():
        return char
    if char in "\u2028\u2029\x85":
        return "\n"
    if unicodedata.category(char) == "Zs":
        return " "
    if ord(char) in _HYPHENS:
        return "-"
    if unicodedata.decomposition(char).startswith(_SAME_LETTER) or "\ufb00" <= char <= "\ufb06":
        return unicodedata.normalize("NFKC", char)
    return char


def _without_unseen(text: str) -> str:
    kept: list[str] = []
    for index, char in enumerate(text):
        before = text[index - 1] if index else ""
        after = text[index + 1 : index + 2]
        if char in "\n\r\t" or not _is_unseen(char, before, after):
            kept.append(char)
    return "".join(kept)


def _joins(before: str, after: str) -> bool:
    """Whether a joiner between these changes what is drawn; behind a virama (RFC 5892 A.1, A.2) it does at a word's end
    too, where Malayalam writes ന് + U+200D for ൻ."""
    return bool(_CURSIVE.match(before)) and (bool(_CURSIVE.match(after)) or unicodedata.combining(before) == _VIRAMA)


def _is_unseen(char: str, before: str, after: str) -> bool:
    if char.isascii():
        return not char.isprintable()
    if char in _MONGOLIAN_FORMS and _MONGOLIAN.match(before):
        return False
    if char in _BLANK_LETTERS:
        return True
    if char in _JOINERS:
        return not _joins(before, after)
    if _SELECTORS.match(char):
        return not before or before.isspace()
    if _TAGS.match(char):  # a flag's region, after its emoji
        return not (_TAGS.match(before) or "\U0001f3f4" <= before <= "\U0001f3f4")
    # Controls, formats, surrogates, and code points that are no characters. Private ones may be drawn by a font.
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Cn")
