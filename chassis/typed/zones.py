"""Time zones as people name them: by the city. Pure."""

from functools import cache
from typing import Final
from zoneinfo import available_timezones

from chassis.typed.names import fold
from chassis.typed.text import plain

_CONTINENTS: Final = frozenset(
    {"Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}
)


class ZoneError(ValueError):
    """A zone that isn't known; the message is safe to show to the person who typed it."""


def read_zone(text: str) -> str:
    """The IANA name for "Europe/Oslo", "Oslo" or "new york". Raises ZoneError with a text for the person."""
    wanted = fold(plain(text).strip().replace("_", " "))
    found = _by_words().get(wanted, ())
    if len(found) == 1:
        return found[0]
    if found:
        raise ZoneError(f"There are several of this name. Choose one: {', '.join(found)}.")
    raise ZoneError("Choose a time zone by a large city in it, such as Oslo or New York.")


@cache
def city_zones() -> tuple[str, ...]:
    """The zones that are named after a city, in the order of their names."""
    names = (name for name in available_timezones() if name.partition("/")[0] in _CONTINENTS)
    return tuple(sorted(names))


@cache
def _by_words() -> dict[str, list[str]]:
    known: dict[str, list[str]] = {}
    for name in city_zones():
        words = name.replace("_", " ")
        for way in {fold(words), fold(words.rpartition("/")[2])}:
            known.setdefault(way, []).append(name)
    return known
