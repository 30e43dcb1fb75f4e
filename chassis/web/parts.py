"""How pages reach what a composition root made, without importing it.

A service has typed holders of its use cases (`parts.py`) and an accessor for its pages. A holder imports services,
never pages, so that no page reaches another room's pages by way of the wiring.
"""

from typing import Final, TypeVar, cast

from flask import Flask, current_app

P = TypeVar("P")
_HELD: Final = "wayvault.parts"


def hold(app: Flask, *parts: object) -> None:
    """Gives an application its parts, each found by its type."""
    app.extensions.setdefault(_HELD, {}).update({type(part): part for part in parts})


def held(kind: type[P]) -> P:
    """The part of this kind that the application at hand was given. Raises KeyError when it was given none."""
    return cast(P, current_app.extensions[_HELD][kind])
