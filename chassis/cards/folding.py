"""A text in few characters, as the detector of card numbers reads it: digits, letters, separators."""

import re
import unicodedata
from typing import Final

from chassis.cards.networks import LONGEST, SHORTEST, is_of_a_network, luhn_valid

# UUIDs, trace parents and hashes are our own; one UUID in 500 would pass for a card by chance.
_OPAQUE: Final = re.compile(
    r"(?<![0-9A-Za-z])(?:00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|[0-9a-f]{32,64})(?![0-9A-Za-z])"
)
# An account's number (ISO 13616); whether it is one its own check digits say.
_IBAN: Final = re.compile(
    r"(?<![0-9A-Za-z])[A-Za-z]{2}[0-9]{2}(?: ?[0-9A-Za-z]{4}){2,7}(?: ?[0-9A-Za-z]{1,3})?(?![0-9A-Za-z])"
)
# Countries whose account numbers are digits alone, as many as a card's may be (SWIFT's IBAN registry).
_ACCOUNT_DIGITS: Final = {
    **dict.fromkeys(("BE",), 12),
    **dict.fromkeys(("DK", "FI", "SD"), 14),
    **dict.fromkeys(("SI",), 15),
    **dict.fromkeys(("AT", "BA", "EE", "LT", "MN", "XK"), 16),
    **dict.fromkeys(("HR",), 17),
    **dict.fromkeys(("CR", "DE", "ME", "RS", "VA"), 18),
    **dict.fromkeys(("AE", "IL", "SO", "TL"), 19),
}
# Digits with letters that look like them, as typewriters had it and as people hide a number.
_LOOKING_ALIKE: Final = re.compile(r"(?<![0-9A-Za-z])[0-9OoIl]{2,}(?![0-9A-Za-z])")
_ALIKE: Final = str.maketrans("OoIl", "0011")
# Digits with letters between them: always the same ones ("4x1x1x1…"), or any between groups as cards print them.
_LETTERED: Final = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9]{1,6}( ?[A-Za-z]{1,3} ?)[0-9]{1,6}(?:\1[0-9]{1,6}){2,17}"
    r"|[0-9]{4}(?: ?[A-Za-z]{1,3} ?[0-9]{4}){3}"
    r"|[0-9]{4} ?[A-Za-z]{1,3} ?[0-9]{6} ?[A-Za-z]{1,3} ?[0-9]{4,5})(?![0-9A-Za-z])"
)
_LETTERS: Final = re.compile("[A-Za-z]")
# A separator as a URL, HTML and quoted-printable carry it; "%41" is left alone, as it may be a percent sign before a
# number.
_ENCODED: Final = re.compile(
    r"%(?:20|2[bdefBDEF]|0[9adAD]|[cC]2%[aA]0)"
    r"|&(?:nbsp|ensp|emsp|thinsp|ndash|mdash|hyphen|shy|tab|#(?:9|32|45|160|820[1-9]|821[1-2]|8239|x20|x2d|xa0));"
    r"|=(?:20|2D|C2=A0)|</?[a-z]{1,5} ?/?>",
    re.IGNORECASE,
)
# How spreadsheets and JSON write a long number: 4.111111111111111E15.
_EXPONENT: Final = re.compile(r"(?<![0-9.])([0-9])[.,]([0-9]{10,18})[eE]\+?(1[1-8])(?![0-9])")
# Fields of fixed width, which old programs fill up with zeros.
_FILLED: Final = re.compile(r"(?<![0-9])0+(?=[0-9]{12,19}(?![0-9]))")
_WIDE: Final = 20
# Twelve digits are as often a parcel's: only where Maestro alone is known to issue (each network's own list).
_TWELVE_DIGITS: Final = ("5018", "5020", "5038", "5893", "6304", "6759", "6761", "6762", "6763")


def is_card(digits: str) -> bool:
    if len(digits) == SHORTEST and not digits.startswith(_TWELVE_DIGITS):
        return False
    return is_of_a_network(digits) and luhn_valid(digits)


class _Folding(dict[int, int]):
    """What a character counts as: a digit of any script as itself, a letter, a separator, or nothing at all."""

    _MOST: Final = 20_000

    def __missing__(self, code: int) -> int:
        folded = ord(_folded(chr(code)))
        if len(self) < self._MOST:
            self[code] = folded
        return folded


_NOTHING: Final = "\0"


def _folded(char: str) -> str:
    if (digit := unicodedata.digit(char, None)) is not None:
        return str(digit)
    match unicodedata.category(char):
        case "Cf" | "Mn" | "Me" | "Cc" if char not in "\t\n\r\v\f":
            return _NOTHING
        case "Zs":
            return " "
        case "Zl" | "Zp" | "Cc":
            return "\t" if char == "\t" else "\n"
        case "Pd":
            return "-"
        case "Lm" if char in "\u30fc\uff70":  # what Japanese keyboards give for a hyphen between digits
            return "-"
        case kind if kind[0] in "LNM" or kind in ("Co", "Cs", "Cn"):
            return "a"
        case _:
            return char if char.isascii() else "-" if char == "\N{MINUS SIGN}" else "*"


_FOLDING: Final = _Folding()


def fold(text: str) -> tuple[str, list[int] | None]:
    """The text in few characters, and where each stood; None when each stands where it stood."""
    text = _OPAQUE.sub(lambda found: "a" * len(found.group()), text)
    text = _IBAN.sub(_no_account, text)
    text = _EXPONENT.sub(_whole_number, text)
    text = _LOOKING_ALIKE.sub(_in_digits, text)
    text = _LETTERED.sub(lambda found: _LETTERS.sub("-", found.group()), text)
    if not {"%", "&", "=", "<"}.isdisjoint(text):
        text = _ENCODED.sub(lambda found: " " * len(found.group()), text)
    plain = _FILLED.sub(_without_filling, text.translate(_FOLDING))
    if _NOTHING not in plain:
        return plain, None
    places = [place for place, char in enumerate(plain) if char != _NOTHING]
    return plain.replace(_NOTHING, ""), places


def _no_account(found: re.Match[str]) -> str:
    """Letters in place of an account's number; the text itself where the check digits (ISO 7064, 97-10) are wrong."""
    account = found.group().replace(" ", "").upper()
    digits = "".join(str(int(char, 36)) for char in account[4:] + account[:4])
    own = account[4:]
    a_card = len(own) != _ACCOUNT_DIGITS.get(account[:2]) and own.isdigit() and is_card(own)
    return "a" * len(found.group()) if int(digits) % 97 == 1 and not a_card else found.group()


def _whole_number(found: re.Match[str]) -> str:
    """The digits with blanks behind them, as long as what stood there; the text itself where it has a fraction."""
    first, decimals, exponent = found.groups()
    whole = (first + decimals.rstrip("0")).ljust(int(exponent) + 1, "0")
    fits = len(whole) == int(exponent) + 1 and len(whole) <= len(found.group())
    return whole.ljust(len(found.group())) if fits else found.group()


def _without_filling(found: re.Match[str]) -> str:
    """Blanks for the zeros of a field wider than any card's number."""
    digits = found.string[found.start() : found.end() + LONGEST + 1]
    width = len(digits) - len(digits.lstrip("0123456789"))
    return " " * len(found.group()) if width >= _WIDE else found.group()


def _in_digits(found: re.Match[str]) -> str:
    """O as 0, l and I as 1, in what has a digit at all."""
    text = found.group()
    return text.translate(_ALIKE) if any(char.isdigit() for char in text) else text
