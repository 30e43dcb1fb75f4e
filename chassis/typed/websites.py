"""The address of a website as people write it, read as the origin that browsers know it by (RFC 6454). Pure."""

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

from chassis.typed.text import plain

# A name of DNS as browsers send it (RFC 1123): nothing in it could end a header's directive.
_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_LONGEST_HOST: Final = 253
# IDNA 2003 and 2008 make two names of one with these (UTS 46, 1.2).
_TWO_WAYS: Final = re.compile("[\u00df\u03c2\u200c\u200d]", re.IGNORECASE)


class WebsiteError(ValueError):
    """What was typed is no website's address. Its text is for whoever typed it."""


def read_website(text: str) -> str:
    """ "https://maya.example" for "maya.example/contact". Raises WebsiteError."""
    text = clean_page(text)
    wrong = WebsiteError(
        f"“{text[:80]}” is not the address of a website. Write it as in a browser, such as www.your-name.com."
    )
    if odd := _TWO_WAYS.search(text.partition("://")[2].partition("/")[0] or text.partition("/")[0]):
        raise WebsiteError(
            f"“{odd.group()}” in a website's name is read in two ways. Copy the address as browsers send it: “xn--…”."
        )
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host, port = (parts.hostname or "").encode("idna").decode("ascii").lower(), parts.port
    except (ValueError, UnicodeError):
        raise wrong from None
    if parts.scheme not in ("https", "http") or parts.username is not None or not _is_host(host):
        raise wrong
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")


def clean_page(text: str) -> str:
    """The address without what a sentence or a mail leaves around it."""
    bare = plain(text).strip("<>\"' ,;").rstrip(".")
    bare = bare.removeprefix("(")
    return bare if "(" in bare else bare.rstrip(").,;")


def with_or_without_www(origin: str) -> str:
    """The other spelling of a website that people take for the same; empty where there is none."""
    scheme, _, host = origin.partition("://")
    if host.startswith("www."):
        return f"{scheme}://{host.removeprefix('www.')}"
    return f"{scheme}://www.{host}" if host.count(".") == 1 and ":" not in host else ""


def _is_host(host: str) -> bool:
    """A name with a dot in it, so that no word is taken for a website; on a developer's machine localhost counts."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        labels = host.split(".")
        named = len(labels) > 1 or host == "localhost"
        return named and len(host) <= _LONGEST_HOST and all(map(_LABEL.fullmatch, labels))
    return False
