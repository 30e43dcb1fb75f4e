"""What a list's page shows of the views that its agent keeps (saved_views/_bar.html)."""

from dataclasses import dataclass

from flask import request, url_for

from services.crm.access.parts import access
from services.crm.access.saved_views.rules import LISTS, SavedList
from services.crm.access.saved_views.state import state_of
from services.crm.core.web import current_agent


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A view above its list. `edit_url` stands beside the one that is shown."""

    name: str
    url: str
    edit_url: str
    is_shown: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedBar:
    """`save_url` is empty where nothing is chosen, or it is a saved view already."""

    chips: tuple[Chip, ...]
    save_url: str


def saved_bar(which: SavedList) -> SavedBar:
    """Of the list whose page this request is for."""
    state = state_of(which, request.query_string.decode("ascii", "ignore"))
    views = access().saved_views.of(current_agent(), which)
    chips = tuple(
        Chip(
            name=view.name,
            url=f"{url_for(LISTS[which].endpoint)}?{view.state}",
            edit_url=url_for("saved_views.edit", view_id=view.id),
            is_shown=view.state == state,
        )
        for view in views
    )
    fresh = state and not any(chip.is_shown for chip in chips)
    return SavedBar(chips=chips, save_url=url_for("saved_views.new", of=which.value, state=state) if fresh else "")
