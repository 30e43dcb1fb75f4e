"""How pages reach what the composition root made, without importing it.

Each street has a typed holder of its use cases (`parts.py`: `Sales`, `Paying` …) and an accessor for its pages. A
holder imports services, never pages, so that no page reaches another room's pages by way of the wiring.
"""

from dataclasses import dataclass
from typing import TypeVar, cast

from flask import Flask, current_app

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.web.sessions import ServerSessions
from services.crm.config import CrmSettings

P = TypeVar("P")
_HELD = "crm.parts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """What every street stands on."""

    settings: CrmSettings
    clock: Clock
    database: Database
    outbox: Outbox
    sessions: ServerSessions


def hold(app: Flask, *parts: object) -> None:
    """Gives an application the streets' parts."""
    app.extensions[_HELD] = {type(part): part for part in parts}


def held(kind: type[P]) -> P:
    """The part of this kind that the application at hand was given. Raises KeyError when it was given none."""
    return cast(P, current_app.extensions[_HELD][kind])


def core() -> Core:
    return held(Core)
