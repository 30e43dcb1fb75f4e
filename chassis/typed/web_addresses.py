"""Addresses of web pages as people type or paste them."""

from urllib.parse import urlsplit

from chassis.typed.websites import WebsiteError, clean_page, read_website


def read_page(text: str) -> str:
    """A page's address, with https:// where it was left out. Raises ValueError with a text for the person."""
    typed = clean_page(text)
    address = typed if "://" in typed else f"https://{typed}"
    wrong = ValueError("Enter the address of a page that begins with https://, such as https://pay.example.com.")
    try:
        website = read_website(address)
    except WebsiteError:
        raise wrong from None
    if not website.startswith("https://") or "." not in website or " " in address:
        raise wrong
    # The rest as it was typed: only its host may be written in two ways.
    return website + address[len("https://") + len(urlsplit(address).netloc) :]
