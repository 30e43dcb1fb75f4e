"""What an agent says of their public page: its websites; and what they paste into these. Pure."""

import ipaddress
import re
from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import urlsplit

from chassis.errors import InvalidArgument
from chassis.typed.text import clean_line

MOST_WEBSITES: Final = 5
# A name of DNS as browsers send it (RFC 1123): nothing in it could end a header's directive.
_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_LONGEST_HOST: Final = 253
# Enough for the first fields, the thanks, and a phone; the form scrolls in it.
_FRAME_HEIGHT: Final = 680


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicPage:
    """An agent's page. `name` is the end of its address; `websites` are origins as they were stated."""

    name: str
    websites: tuple[str, ...]


def read_websites(typed: str) -> tuple[str, ...]:
    """The origins of what was typed, one website a line; addresses of single pages count for their website.

    Raises InvalidArgument (field "websites").
    """
    lines = [clean_line(line) for line in re.split(r"[\n,;]", typed)]
    origins = tuple(dict.fromkeys(_origin(line) for line in lines if line))
    if len(origins) > MOST_WEBSITES:
        raise _refused(f"State at most {MOST_WEBSITES} websites.")
    return origins


def with_www(origins: tuple[str, ...]) -> tuple[str, ...]:
    """Each website with and without "www.": to people they are one."""
    return tuple(dict.fromkeys(each for origin in origins for each in (origin, _twin(origin)) if each))


def button_text(name: str) -> str:
    """What the button says."""
    return f"Plan a trip with {name}"


def button_snippet(url: str, name: str, accent: str) -> str:
    """A link that looks like a button wherever it is pasted."""
    style = (
        f"display:inline-block;padding:12px 20px;border-radius:8px;background:{accent};color:#ffffff;"
        "font:600 16px/1.25 sans-serif;text-decoration:none"
    )
    return f'<a href="{escape(url)}" style="{style}">{escape(button_text(name))}</a>'


def frame_snippet(url: str, name: str) -> str:
    """The page's form in a frame; no script."""
    style = f"width:100%;height:{_FRAME_HEIGHT}px;border:0"
    return f'<iframe src="{escape(url)}" title="Ask {escape(name)} for a trip" style="{style}" loading="lazy"></iframe>'


def _origin(text: str) -> str:
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host, port = (parts.hostname or "").encode("idna").decode("ascii").lower(), parts.port
    except (ValueError, UnicodeError):
        raise _refused(_not_one(text)) from None
    if parts.scheme not in ("https", "http") or parts.username or not _is_host(host):
        raise _refused(_not_one(text))
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")


def _is_host(host: str) -> bool:
    """A name with a dot in it, so that no word is taken for a website; on a developer's machine localhost counts."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        labels = host.split(".")
        named = len(labels) > 1 or host == "localhost"
        return named and len(host) <= _LONGEST_HOST and all(map(_LABEL.fullmatch, labels))
    return False


def _twin(origin: str) -> str:
    scheme, _, host = origin.partition("://")
    if host.startswith("www."):
        return f"{scheme}://{host.removeprefix('www.')}"
    return f"{scheme}://www.{host}" if host.count(".") == 1 and ":" not in host else ""


def _not_one(text: str) -> str:
    return f"“{text[:80]}” is not the address of a website. Write it as in a browser, such as www.your-name.com."


def _refused(message: str) -> InvalidArgument:
    return InvalidArgument(message, field="websites")
