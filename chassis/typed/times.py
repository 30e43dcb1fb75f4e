"""Times of day as browsers send and people type them. Pure."""

import re
from datetime import time
from typing import Final

from chassis.typed.text import plain

_EXAMPLE: Final = "such as 7:55 PM or 19:55"
_CLOCK: Final = re.compile(
    r"([0-9]{1,2})(?:\s?[:.h]\s?([0-9]{2})(?::[0-9]{2})?|([0-9]{2}))?(?:\s?h)?(?:\s?(?:uhr|([ap])\.?\s?(?:m\.?)?))?",
    re.IGNORECASE,
)


class TimeError(ValueError):
    """A time that can't be read; the message is safe to show to the person who typed it."""


def read_time(text: str) -> time:
    """Reads "19:55", "7:55 pm", "7pm", "19.55", "19h55", "19h" and "1955".

    Raises TimeError with a text for the person, also for a bare number such as "7", which may be morning or evening.
    """
    found = _CLOCK.fullmatch(plain(text).strip())
    if found is None:
        raise TimeError(f"Enter the time of day, {_EXAMPLE}.")
    hour, minute, half = int(found[1]), int(found[2] or found[3] or 0), (found[4] or "").lower()
    if not half and not (found[2] or found[3]) and 1 <= hour <= 12:
        raise TimeError(f"Say whether it is morning or evening, {_EXAMPLE}.")
    if half and not 1 <= hour <= 12:
        raise TimeError(f"Enter the time of day, {_EXAMPLE}.")
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    if hour > 23 or minute > 59:
        raise TimeError(f"There is no such time of day. Enter one {_EXAMPLE}.")
    return time(hour, minute)


def time_from(text: str) -> time | None:
    """A time of another service's message, "19:55"; None for anything else."""
    if not re.fullmatch(r"[0-9]{2}:[0-9]{2}", text):
        return None
    try:
        return time.fromisoformat(text)
    except ValueError:
        return None
