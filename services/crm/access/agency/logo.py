"""An agency's logo: whatever picture an admin brings becomes a small PNG of our own making.

What was uploaded is decoded and drawn anew, so nothing of the file itself (metadata, trailing data, scripts of an SVG)
ever reaches a client. SVG is refused: it is a document that can hold scripts.
"""

import hashlib
import io
import warnings
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

from chassis.errors import InvalidArgument
from chassis.pictures import odd_picture

MOST_UPLOADED: Final = 2 * 1024 * 1024
MOST_KEPT: Final = 64 * 1024
_FORMATS: Final = ("PNG", "JPEG", "WEBP")
# Larger pictures are no logos, and decoding them costs memory: 4 bytes a pixel.
_MOST_PIXELS: Final = 16_000_000
_LEAST_SIDE: Final = 16
# Tried in turn until the PNG is small enough: shown at 40 px, twice that on a good screen.
_BOXES: Final = ((512, 256), (320, 160), (160, 80))

_REFUSED: Final = "Choose a PNG, JPEG or WebP picture. SVG files can hold programs, so they are not taken."


@dataclass(frozen=True, slots=True, kw_only=True)
class Logo:
    """A PNG of at most MOST_KEPT bytes, and the hash that its address carries."""

    png: bytes
    sha256: str


def read_logo(content: bytes) -> Logo:
    """The picture, drawn anew. Raises InvalidArgument (field "logo") with a text for the person."""
    if words := odd_picture(content):
        raise InvalidArgument(words, field="logo")
    if len(content) > MOST_UPLOADED:
        raise InvalidArgument("Choose a picture of at most 2 MB.", field="logo")
    picture = _decoded(content)
    if min(picture.size) < _LEAST_SIDE:
        raise InvalidArgument("This picture is too small: it needs at least 16 pixels each way.", field="logo")
    for box in _BOXES:
        small = picture.copy()
        small.thumbnail(box, Image.Resampling.LANCZOS)
        for drawn in (small, small.quantize(colors=255, method=Image.Quantize.FASTOCTREE)):
            png = _png(drawn)
            if len(png) <= MOST_KEPT:
                return Logo(png=png, sha256=hashlib.sha256(png).hexdigest())
    raise InvalidArgument("This picture can't be made small enough. Choose a plainer one.", field="logo")


def _decoded(content: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            # The format is read from the content; the file's name and type say nothing.
            with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
                if opened.width * opened.height > _MOST_PIXELS:
                    raise InvalidArgument("Choose a picture of at most 16 million pixels.", field="logo")
                # As every viewer shows it: cameras note how they were held (EXIF, Orientation).
                return ImageOps.exif_transpose(opened).convert("RGBA")
    except UnidentifiedImageError:
        raise InvalidArgument(_REFUSED, field="logo") from None
    # Pillow's decoders raise these for pictures that are cut off, contradictory or meant to hurt.
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise InvalidArgument("This picture is damaged. Save it anew and try again.", field="logo") from None


def _png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()
