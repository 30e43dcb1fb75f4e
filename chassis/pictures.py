"""What is said of pictures that not everybody can open. Pure."""

from typing import Final

_HEIC_BRANDS: Final = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1")
_AVIF_BRANDS: Final = (b"avif", b"avis")
_HEIC_WORDS: Final = (
    "This is a photo in Apple's HEIC format, which many computers can't show. Open it and export it as JPEG, "
    "then choose that; or on an iPhone choose Settings > Camera > Formats > Most Compatible and take it again."
)
_OTHERS: Final = (
    ("GIF", (b"GIF87a", b"GIF89a")),
    ("TIFF", (b"II*\0", b"MM\0*")),
    ("BMP", (b"BM",)),
    ("Photoshop", (b"8BPS",)),
    ("JPEG XL", (b"\xff\x0a", b"\0\0\0\x0cJXL ")),
    ("JPEG 2000", (b"\0\0\0\x0cjP  ",)),
)


def odd_picture(content: bytes) -> str:
    """What to do with a picture of a format that many programs can't show; empty for anything else.

    HEIC and its relative AVIF say what they are in a box of their own (ISO/IEC 23008-12, Annex B).
    """
    brand = content[8:12] if content[4:8] == b"ftyp" else b""
    if brand in _HEIC_BRANDS:
        return _HEIC_WORDS
    name = "AVIF" if brand in _AVIF_BRANDS else next((name for name, marks in _OTHERS if content.startswith(marks)), "")
    if not name or (name == "BMP" and not _is_bmp(content)):
        return ""
    return (
        f"This is a picture in {name} format, which many programs can't show. Export it as JPEG or PNG, and use that."
    )


def _is_bmp(content: bytes) -> bool:
    """Two letters alone could begin any text; behind them stands the file's size, then four zeros."""
    return content[6:10] == bytes(4) and len(content) > 26
