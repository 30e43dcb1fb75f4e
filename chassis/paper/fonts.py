"""The fonts of PDFs: Roboto for everything it can write, and for a name in another script the one
Noto face that can. A face is loaded only for a document that needs it: loading one costs 5 to 300 ms."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import font_roboto
import pylopdf_fonts_ar
import pylopdf_fonts_he
import pylopdf_fonts_hi
import pylopdf_fonts_ko
import pylopdf_fonts_th
import pylopdf_fonts_zh_cn
from fontTools.ttLib import TTFont
from fpdf import FPDF

BODY = "roboto"
HAND = "hand"
_BODY_FILES: dict[str, str] = {"": "Roboto", "B": "RobotoMedium"}
_HAND_FILE = "RobotoLightItalic"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Face:
    family: str
    path: Callable[[], Path]


# In the order in which a missing character is looked for. Each is regular in its default form: making another one of a
# variable font takes seconds. That is why Hebrew is set in the serif face; the sans face is thin by default.
_FALLBACKS: tuple[_Face, ...] = (
    _Face(family="noto-arabic", path=pylopdf_fonts_ar.sans_path),
    _Face(family="noto-hebrew", path=pylopdf_fonts_he.serif_path),
    _Face(family="noto-devanagari", path=pylopdf_fonts_hi.sans_path),
    _Face(family="noto-thai", path=pylopdf_fonts_th.sans_path),
    _Face(family="noto-han", path=pylopdf_fonts_zh_cn.sans_path),
    _Face(family="noto-hangul", path=pylopdf_fonts_ko.sans_path),
)


@cache
def _characters_of(path: str) -> frozenset[int]:
    """The code points a font file can write."""
    with TTFont(path, lazy=True) as font:
        return frozenset(font.getBestCmap())


def _roboto(name: str) -> str:
    return str(font_roboto.font_files[name])


def fallbacks_for(text: str) -> tuple[str, ...]:
    """The families, beside Roboto, that a text needs. A character that no face has is drawn as a box."""
    missing = {ord(char) for char in text if not char.isspace()} - _characters_of(_roboto("Roboto"))
    needed: list[str] = []
    for face in _FALLBACKS:
        if not missing:
            break
        covered = missing & _characters_of(str(face.path()))
        if covered:
            needed.append(face.family)
            missing -= covered
    return tuple(needed)


def install(pdf: FPDF, text: str, *, hand: bool = False) -> None:
    """Adds to a document the fonts that its whole `text` needs, and HAND if somebody's name is written by `hand`.

    Shaping (joined Arabic, Indic clusters, right-to-left order) is switched on only with the other scripts' faces:
    Roboto's text does not need it.
    """
    for style, name in _BODY_FILES.items():
        pdf.add_font(BODY, style=style, fname=_roboto(name))
    if hand:
        pdf.add_font(HAND, fname=_roboto(_HAND_FILE))
    families = fallbacks_for(text)
    for face in _FALLBACKS:
        if face.family in families:
            pdf.add_font(face.family, fname=face.path())
    if families:
        pdf.set_fallback_fonts(families, exact_match=False)
        pdf.set_text_shaping(True)


def warm() -> None:
    """Reads the characters of every face once, so that a server's first document is as quick as its second."""
    fallbacks_for("\U0010fffd")
