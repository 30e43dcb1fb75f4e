"""The faces of printed sheets, and which characters they can write.

Roboto writes Latin, Greek and Cyrillic; a Noto face each the other scripts that most names come in. They come with the
libraries. The rarer scripts, Tibetan and Thaana to Cherokee, are written by the faces of Debian's package
fonts-noto-core, which are looked at only when a text needs one. A character that no face can write is never left blank:
it is printed as its code, "[U+20001]", and pages say so before anybody signs (`unprintable`).
"""

import re
import unicodedata
from functools import cache
from itertools import chain
from pathlib import Path

import font_roboto
import manimgx_fonts
import manimgx_fonts_cjk
import structlog
import typst
from fontTools import unicodedata as scripts
from fontTools.ttLib import TTFont

_FOLDERS = (
    Path(next(iter(font_roboto.font_files.values()))).parent,
    Path(manimgx_fonts.__file__).parent,
    Path(manimgx_fonts_cjk.__file__).parent,
)
# Where Debian's fonts-noto-core is. Its faces are called by their scripts.
_RARE_FOLDER = Path("/usr/share/fonts/truetype/noto")
# What writes signs of no script of their own: styled letters, dingbats.
_RARE_SIGNS = ("NotoSansMath", "NotoSansSymbols2")
# In the order in which a face is looked for; the scripts' own in between, by name.
_FIRST = ("Roboto", "Noto Sans")
_LAST = ("Noto Sans Symbols", "Noto Emoji")
# Chinese, Japanese and Korean write many a character of one code in different ways.
_JAPANESE, _KOREAN, _CHINESE = "Noto Sans CJK JP", "Noto Sans CJK KR", "Noto Sans CJK SC"
_KANA = re.compile("[\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f]")
_HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]")

# The name by which typst knows a family, in a face's table of names.
_FAMILY = 1
# Files that are not called as their scripts are.
_FILE_NAMES = {"Nko": "NKo"}

# What joins or parts letters (ZWNJ, ZWJ, the Mongolian vowel separator) is kept; every other unseen sign is dropped: it
# prints nothing, or turns texts round.
_KEPT = "\u200c\u200d\u180e"
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_LONG_RUN = re.compile(r"\S{41,}")
_BREAK_EVERY = 20
_NAMED = 5

log = structlog.get_logger(__name__)


def folders(text: str) -> tuple[str, ...]:
    """Where typst finds the faces for a text."""
    known = tuple(str(folder) for folder in _FOLDERS)
    return (*known, str(_RARE_FOLDER)) if _rare_families(text) else known


def families(text: str) -> list[str]:
    """The faces for a sheet with this text, in the order in which they are tried."""
    han = _JAPANESE if _KANA.search(text) else _KOREAN if _HANGUL.search(text) else _CHINESE
    common = sorted(set(_characters()) - {*_FIRST, *_LAST, _JAPANESE, _KOREAN, _CHINESE})
    return [*_FIRST, *common, han, *_rare_families(text), *_LAST]


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
    """Reads the characters of every common face once, so that a server's first answer is as quick as its second."""
    if not _RARE_FOLDER.exists():
        log.warning("paper.no_faces_for_rare_scripts", package="fonts-noto-core")
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
    return char == "\n" or char in _KEPT or unicodedata.category(char) not in {"Cc", "Cf", "Cs"}


def _with_faces(text: str) -> list[tuple[str, bool]]:
    """Each character, and whether it can be written where it stands: a mark needs a face that has its letter too,
    because a letter and its marks are set in one face."""
    found: list[tuple[str, bool]] = []
    homes: frozenset[str] = frozenset()
    for char in text:
        if char in "\n" + _KEPT or char.isspace():
            found.append((char, True))
        elif unicodedata.category(char)[0] != "M":
            homes = _homes(char)
            found.append((char, bool(homes)))
        else:
            left = frozenset(family for family in homes if ord(char) in _written_by(family))
            found.append((char, bool(left)))
            homes = left or homes
    return found


@cache
def _homes(char: str) -> frozenset[str]:
    """The faces that can write a character; a rare one only where no other can."""
    if ord(char) in _all_characters():
        return frozenset(family for family, written in _characters().items() if ord(char) in written)
    return frozenset(family for family, written in _rare_faces_of(char).items() if ord(char) in written)


def _written_by(family: str) -> frozenset[int]:
    common = _characters().get(family)
    return _rare_by_family().get(family, frozenset()) if common is None else common


def _rare_families(text: str) -> list[str]:
    """The rare faces that a text needs, by name."""
    needed = {char for char in _seen(text) if ord(char) not in _all_characters()} - set("\n" + _KEPT)
    return sorted(set(chain.from_iterable(_homes(char) for char in needed)))


def _rare_faces_of(char: str) -> dict[str, frozenset[int]]:
    """The rare faces that may have a character, by family: those of its scripts, else those of signs."""
    names = sorted(scripts.script_name(code).replace(" ", "") for code in scripts.script_extension(char))
    of_scripts = [f"Noto{style}{_FILE_NAMES.get(name, name)}" for name in names for style in ("Sans", "Serif")]
    return dict(face for file in (*of_scripts, *_RARE_SIGNS) if (face := _rare_face(file)) is not None)


@cache
def _rare_face(file: str) -> tuple[str, frozenset[int]] | None:
    path = _RARE_FOLDER / f"{file}-Regular.ttf"
    if not path.exists():
        return None
    with _opened(path) as font:
        family, written = str(font["name"].getDebugName(_FAMILY)), frozenset(font.getBestCmap())
    if family not in _rare_known():
        return None
    _rare_by_family()[family] = written
    return family, written


@cache
def _rare_known() -> frozenset[str]:
    """The rare families as typst names them."""
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[_RARE_FOLDER])
    return frozenset(fonts.families())


@cache
def _rare_by_family() -> dict[str, frozenset[int]]:
    """What the rare faces write that were looked at so far."""
    return {}


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
        since = since + 1 if char not in _KEPT else 0
    return "".join(made)
