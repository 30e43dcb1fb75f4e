"""What is said of pictures that not everybody can open. Pure."""

from typing import Final

_HEIC_BRANDS: Final = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif")
HEIC_WORDS: Final = (
    "This is a photo in Apple's HEIC format, which many computers can't show. Open it and export it as JPEG, "
    "then choose that; or on an iPhone choose Settings > Camera > Formats > Most Compatible and take it again."
)


def is_heic(content: bytes) -> bool:
    """Whether a file is a picture in HEIC, or in its relative AVIF (ISO/IEC 23008-12, Annex B)."""
    return content[4:8] == b"ftyp" and content[8:12] in _HEIC_BRANDS
