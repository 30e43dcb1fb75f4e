"""QR codes of addresses that are passed on by hand."""

import segno


def qr_code(url: str) -> str:
    """The code as a data URI, dark on light in every scheme; empty for no link."""
    return segno.make(url, error="m").svg_data_uri(scale=4, border=3, light="white", dark="black") if url else ""
