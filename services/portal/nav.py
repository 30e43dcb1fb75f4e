"""The tabs that a signed-in client sees. A room adds its own here; a tab shows once its endpoint exists."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, current_app, request, url_for

from chassis.web.page import NavItem

_COUNTS = "portal_tab_counts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """`rooms` are the beginnings of the endpoints on whose pages the tab is the present one."""

    label: str
    endpoint: str
    icon: str
    rooms: tuple[str, ...]


TABS = (
    Tab(label="Trips", endpoint="trips.index", icon="luggage", rooms=("trips.",)),
    Tab(label="Documents", endpoint="documents.index", icon="file-text", rooms=("documents.",)),
    Tab(label="Sign", endpoint="esign.index", icon="pen-line", rooms=("esign.", "insurance.")),
    Tab(label="Payments", endpoint="payments.index", icon="credit-card", rooms=("payments.",)),
    Tab(label="Profile", endpoint="profile.show", icon="user", rooms=("profile.", "account.")),
)


def count_on_tab(app: Flask, endpoint: str, count: Callable[[str], int]) -> None:
    """Shows on a tab how much waits there, e.g. documents to sign. `count` takes the client's id."""
    app.extensions.setdefault(_COUNTS, {})[endpoint] = count


def tabs_for(client_id: str) -> tuple[NavItem, ...]:
    """The tabs of this request."""
    here = request.endpoint or ""
    counts = current_app.extensions.get(_COUNTS, {})
    return tuple(
        NavItem(
            label=tab.label,
            url=url_for(tab.endpoint),
            icon=tab.icon,
            active=here.startswith(tab.rooms),
            count=counts[tab.endpoint](client_id) if tab.endpoint in counts else 0,
        )
        for tab in TABS
        if tab.endpoint in current_app.view_functions
    )


def home_url() -> str:
    """Where a client lands after sign-in: the first tab there is."""
    first = next((tab.endpoint for tab in TABS if tab.endpoint in current_app.view_functions), "account.show")
    return url_for(first)
