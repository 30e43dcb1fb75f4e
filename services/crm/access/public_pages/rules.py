"""What an agent says of their public page: its websites; and what they paste into these. Pure."""

import re
from dataclasses import dataclass
from html import escape
from typing import Final

from chassis.errors import InvalidArgument
from chassis.typed.text import clean_line
from chassis.typed.websites import WebsiteError, read_website, with_or_without_www

MOST_WEBSITES: Final = 5
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
    try:
        origins = tuple(dict.fromkeys(read_website(line) for line in lines if line))
    except WebsiteError as error:
        raise _refused(str(error)) from None
    if len(origins) > MOST_WEBSITES:
        raise _refused(f"State at most {MOST_WEBSITES} websites.")
    return origins


def with_www(origins: tuple[str, ...]) -> tuple[str, ...]:
    """Each website with and without "www.": to people they are one."""
    return tuple(dict.fromkeys(each for origin in origins for each in (origin, with_or_without_www(origin)) if each))


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


def _refused(message: str) -> InvalidArgument:
    return InvalidArgument(message, field="websites")
