"""An agency's colour, made readable: contrast is computed (WCAG 2.2, 1.4.3), not hoped for."""

import colorsys
import re
from dataclasses import dataclass
from functools import lru_cache

DEFAULT_ACCENT = "#0f6b6b"
AA_TEXT = 4.5

# The grounds on which accent-coloured text stands, lightest and darkest of each scheme; the same as in tokens.css.
LIGHT_GROUNDS = ("#ffffff", "#f6f7f8", "#eef0f2")
DARK_GROUNDS = ("#111519", "#181d22", "#20262c")
# How much of the accent tints the soft ground that badges and chosen rows have.
LIGHT_TINT = 0.10
DARK_TINT = 0.18

_HEX = re.compile(r"#?([0-9a-fA-F]{6})")
_STEP = 0.005

Rgb = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemeAccent:
    """The accent in one scheme, all "#rrggbb".

    `accent` reads on every ground of the scheme and on `soft`; `on_accent` reads on `accent` and on `hover`.
    """

    accent: str
    on_accent: str
    hover: str
    soft: str


def parse_hex(text: str) -> Rgb:
    """Reads "#RRGGBB" or "RRGGBB". Raises ValueError with a text for the person."""
    match = _HEX.fullmatch(text.strip())
    if match is None:
        raise ValueError("Write a colour as # and six digits, such as #0f6b6b.")
    value = match.group(1)
    return int(value[0:2], 16), int(value[2:4], 16), int(value[4:6], 16)


def to_hex(colour: Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def luminance(colour: Rgb) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.2, glossary)."""

    def channel(value: int) -> float:
        part = value / 255
        return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)

    red, green, blue = (channel(value) for value in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Rgb, other: Rgb) -> float:
    """Contrast ratio, 1 to 21 (WCAG 2.2, glossary)."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def mix(colour: Rgb, ground: Rgb, share: float) -> Rgb:
    """`share` of `colour` laid over `ground`."""
    red, green, blue = (round(c * share + g * (1 - share)) for c, g in zip(colour, ground, strict=True))
    return red, green, blue


@lru_cache(maxsize=256)
def accent_for(chosen: str, *, dark: bool) -> SchemeAccent:
    """The chosen colour, its lightness moved only as far as contrast 4.5 needs in the scheme."""
    grounds = [parse_hex(ground) for ground in (DARK_GROUNDS if dark else LIGHT_GROUNDS)]
    tint = DARK_TINT if dark else LIGHT_TINT
    hue, lightness, saturation = colorsys.rgb_to_hls(*(value / 255 for value in parse_hex(chosen)))
    while True:
        colour = _from_hls(hue, lightness, saturation)
        soft = mix(colour, grounds[0], tint)
        if all(contrast(colour, ground) >= AA_TEXT for ground in (*grounds, soft)):
            break
        lightness += _STEP if dark else -_STEP
    # What stands on the accent is the scheme's ground, against which the accent was just measured; the hover moves
    # further away from it.
    on_accent = grounds[0]
    hover = mix(colour, (255, 255, 255) if dark else (0, 0, 0), 0.88)
    return SchemeAccent(accent=to_hex(colour), on_accent=to_hex(on_accent), hover=to_hex(hover), soft=to_hex(soft))


def _from_hls(hue: float, lightness: float, saturation: float) -> Rgb:
    red, green, blue = colorsys.hls_to_rgb(hue, min(1.0, max(0.0, lightness)), saturation)
    return round(red * 255), round(green * 255), round(blue * 255)


def theme_css(chosen: str) -> str:
    """The accent's variables for both schemes, as the style sheet that a layout links."""
    light = _variables(accent_for(chosen, dark=False))
    dark = _variables(accent_for(chosen, dark=True))
    return (
        f":root{{{light}}}\n"
        f"@media (prefers-color-scheme: dark){{:root:not([data-theme=light]){{{dark}}}}}\n"
        f"[data-theme=dark]{{{dark}}}\n"
    )


def _variables(scheme: SchemeAccent) -> str:
    return (
        f"--wv-accent:{scheme.accent};--wv-on-accent:{scheme.on_accent};"
        f"--wv-accent-hover:{scheme.hover};--wv-accent-soft:{scheme.soft}"
    )
