"""Reads a drawn signature: the PNG data URL that the browser's signing pad posts."""

import base64
import binascii
import io

from PIL import Image

_PREFIX = "data:image/png;base64,"
_MAX_CHARS = 700_000
_MAX_PIXELS = 4_000_000
# Fewer inked pixels than this is a slip of the finger, not a signature.
_LEAST_INK = 60
_KEPT_SIZE = (900, 300)
_MARGIN = 8


class DrawingError(ValueError):
    """A drawing that can't be used; the message is for the person who drew it."""


def read_drawing(data_url: str) -> bytes:
    """The signature as a small PNG: black ink on transparent ground, cut to its ink.

    The ink's own colour is dropped, so that a signature drawn on a dark page prints. Raises DrawingError.
    """
    ink = _ink_mask(_decode(data_url))
    box = ink.getbbox()
    if box is None or sum(ink.histogram()[128:]) < _LEAST_INK:
        raise DrawingError("Please draw your signature.")
    cut = ink.crop(box)
    cut.thumbnail(_KEPT_SIZE)
    picture = Image.new("RGBA", (cut.width + 2 * _MARGIN, cut.height + 2 * _MARGIN), (0, 0, 0, 0))
    picture.paste((0, 0, 0, 255), (_MARGIN, _MARGIN), cut)
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def _decode(data_url: str) -> Image.Image:
    if not data_url:
        raise DrawingError("Please draw your signature, or choose Type and write your name.")
    unreadable = DrawingError("The drawing could not be read. Please draw your signature again, or type your name.")
    if not data_url.startswith(_PREFIX) or len(data_url) > _MAX_CHARS:
        raise unreadable
    try:
        raw = base64.b64decode(data_url.removeprefix(_PREFIX), validate=True)
        image = Image.open(io.BytesIO(raw), formats=("PNG",))
        if image.width * image.height > _MAX_PIXELS:
            raise unreadable
        return image.convert("RGBA")
    except (binascii.Error, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise unreadable from None


def _ink_mask(image: Image.Image) -> Image.Image:
    """How much ink stands where: the alpha channel, or darkness on an opaque picture."""
    alpha = image.getchannel("A")
    if sum(alpha.histogram()[:255]):
        return alpha
    return Image.eval(image.convert("L"), lambda value: 255 - value)
