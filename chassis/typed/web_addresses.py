"""Addresses of web pages as people type or paste them."""

from urllib.parse import urlsplit

from chassis.typed.text import plain


def read_page(text: str) -> str:
    """A page's address, with https:// where it was left out. Raises ValueError with a text for the person."""
    typed = plain(text)
    address = typed if "://" in typed else f"https://{typed}"
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.scheme != "https" or "." not in host or parts.username is not None or " " in address:
        raise ValueError("Enter the address of a page that begins with https://, such as https://pay.example.com.")
    return address
