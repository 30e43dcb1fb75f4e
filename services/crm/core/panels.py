"""Places on a room's pages that other rooms fill, so that neither imports the other.

The room that has the page declares the place (`BOOKING_PAGE` in trips/bookings); other rooms have functions that fill
it, each with its own template and data; `services/crm/panels.py` says who fills which place, in which order.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVarTuple, cast

from flask import Flask, current_app

from services.crm.core.actor import Actor

About = TypeVarTuple("About")
_PLACES = "crm.places"


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A template to include and the names it reads."""

    template: str
    data: Mapping[str, Any]  # Any: whatever the panel's own template reads


class Place(Generic[*About]):
    """A place, and what it is about: a client, a booking, or nothing but who looks."""

    def __init__(self, name: str) -> None:
        self._name = name

    def fill(self, app: Flask, *fillers: Callable[[Actor, *About], Panel | None]) -> None:
        """Has these fill the place, in this order. One that returns None shows nothing."""
        app.extensions.setdefault(_PLACES, {})[self._name] = fillers

    def panels(self, actor: Actor, *about: *About) -> list[Panel]:
        """What stands in the place, for this person."""
        known = current_app.extensions[_PLACES].get(self._name, ())
        fillers = cast("tuple[Callable[[Actor, *About], Panel | None], ...]", known)
        return [panel for fill in fillers if (panel := fill(actor, *about))]


# The dashboard is nobody's own page: rooms of every street put something there.
DASHBOARD: Place[()] = Place("dashboard")
