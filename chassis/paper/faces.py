"""The faces of printed sheets, and which characters they can write.

Roboto writes Latin, Greek and Cyrillic; a Noto face each of the other scripts. A character that no face can write is
never left blank: it is printed as its code, "[U+1820]", and pages say so before anybody signs (`unprintable`).
"""

import re
import unicodedata
from functools import cache
from itertools import chain
from pathlib import Path

import font_roboto
import manimgx_fonts
import manimgx_fonts_cjk
from fontTools.ttLib import TTFont

_FOLDERS = (
    Path(next(iter(font_roboto.font_files.values()))).parent,
    Path(manimgx_fonts.__file__).parent,
    Path(manimgx_fonts_cjk.__file__).parent,
)
# In the order in which a face is looked for; the scripts' own in between, by name.
_FIRST = ("Roboto", "Noto Sans")
_LAST = ("Noto Sans Symbols", "Noto Emoji")
# Chinese, Japanese and Korean write many a character of one code in different ways.
_JAPANESE, _KOREAN, _CHINESE = "Noto Sans CJK JP", "Noto Sans CJK KR", "Noto Sans CJK SC"
_KANA = re.compile("[\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f]")
_HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]")

# What joins letters (ZWNJ, ZWJ) is kept; every other unseen sign is dropped: it prints nothing, or turns texts round.
_JOINERS = "\u200c\u200d"
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_LONG_RUN = re.compile(r"\S{41,}")
_BREAK_EVERY = 20
_NAMED = 5


def folders() -> list[str]:
    """Where typst finds the faces."""
    return [str(folder) for folder in _FOLDERS]


def families(text: str) -> list[str]:
    """The faces for a sheet with this text, in the order in which they are tried."""
    han = _JAPANESE if _KANA.search(text) else _KOREAN if _HANGUL.search(text) else _CHINESE
    scripts = sorted(set(_characters()) - {*_FIRST, *_LAST, _JAPANESE, _KOREAN, _CHINESE})
    return [*_FIRST, *scripts, han, *_LAST]


def printable(text: str) -> str:
    """The text as it is printed: composed, without signs that print nothing, and each character that no face can
    write as its code. Very long words get places where a line may end."""
    if not _plain().issuperset(text):
        text = "".join(_written(char, face) for char, face in _with_faces(_seen(text)))
    return _LONG_RUN.sub(_breakable, text)


def unprintable(text: str) -> tuple[str, ...]:
    """The characters that can't be printed, each once, in their order."""
    if _plain().issuperset(text):
        return ()
    found = [char for char, face in _with_faces(_seen(text)) if not face]
    return tuple(dict.fromkeys(found))


def name_them(characters: tuple[str, ...]) -> str:
    """Characters for a person to find: "ᠮ" (MONGOLIAN LETTER MA)."""
    named = [f"“{char}” ({unicodedata.name(char, f'U+{ord(char):04X}').lower()})" for char in characters[:_NAMED]]
    more = len(characters) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")


def warm() -> None:
    """Reads the characters of every face once, so that a server's first answer is as quick as its second."""
    _plain()
    _all_characters()


@cache
def _characters() -> dict[str, frozenset[int]]:
    """The code points that each family can write."""
    found: dict[str, frozenset[int]] = {}
    for path in sorted(chain.from_iterable(folder.rglob("*.tt[fc]") for folder in _FOLDERS)):
        with _opened(path) as font:
            # Of a family's upright and slanted forms, what both have.
            family, written = str(font["name"].getBestFamilyName()), frozenset(font.getBestCmap())
            found[family] = found.get(family, written) & written
    return found


def _opened(path: Path) -> TTFont:
    # The faces of the one collection write the same characters, each in its country's way.
    return TTFont(path, lazy=True, fontNumber=0 if path.suffix == ".ttc" else -1)


@cache
def _all_characters() -> frozenset[int]:
    return frozenset().union(*_characters().values())


@cache
def _plain() -> frozenset[str]:
    """What the first face writes as it stands, each by itself: a text of these alone needs no second look."""
    letters = {chr(code) for code in _characters()[_FIRST[0]]}
    return frozenset(char for char in letters if unicodedata.category(char)[0] in "LNPS") | frozenset(" \n\u00a0")


def _seen(text: str) -> str:
    composed = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\t", " ")
    return "".join(char for char in _SELECTORS.sub("", composed) if _is_seen(char))


def _is_seen(char: str) -> bool:
    return char == "\n" or char in _JOINERS or unicodedata.category(char) not in {"Cc", "Cf", "Cs"}


def _with_faces(text: str) -> list[tuple[str, bool]]:
    """Each character, and whether it can be written where it stands: a mark needs a face that has its letter too,
    because a letter and its marks are set in one face."""
    known = _all_characters()
    found: list[tuple[str, bool]] = []
    homes: frozenset[str] = frozenset()
    for char in text:
        if char in "\n" + _JOINERS or char.isspace():
            found.append((char, True))
        elif unicodedata.category(char)[0] != "M":
            homes = _homes(char) if ord(char) in known else frozenset()
            found.append((char, bool(homes)))
        else:
            left = homes & _homes(char)
            found.append((char, bool(left)))
            homes = left or homes
    return found


@cache
def _homes(char: str) -> frozenset[str]:
    return frozenset(family for family, written in _characters().items() if ord(char) in written)


def _written(char: str, has_face: bool) -> str:
    if not has_face:
        return f"[U+{ord(char):04X}]"
    if char in "\u2028\u2029":
        return "\n"
    return " " if char.isspace() and char not in "\n\u00a0" else char


def _breakable(match: re.Match[str]) -> str:
    """A run without a blank, with a zero-width space now and then where no mark or joiner follows."""
    made, since = [], 0
    for char in match.group():
        if since >= _BREAK_EVERY and unicodedata.category(char)[0] in "LNPS":
            made.append("\u200b")
            since = 0
        made.append(char)
        since = since + 1 if char not in _JOINERS else 0
    return "".join(made)
