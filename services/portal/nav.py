"""The tabs that a signed-in client sees."""

from dataclasses import dataclass

from flask import request, url_for

from chassis.web.page import NavItem
from services.portal.parts import portal


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
    Tab(label="Sign", endpoint="esign.index", icon="pen-line", rooms=("esign.", "insurance.", "visits.")),
    Tab(label="Payments", endpoint="payments.index", icon="credit-card", rooms=("payments.", "standing_orders.")),
    Tab(label="Profile", endpoint="profile.show", icon="user", rooms=("profile.", "account.")),
)


def tabs_for(client_id: str) -> tuple[NavItem, ...]:
    """The tabs of this request, with how much waits behind each."""
    here = request.endpoint or ""
    waiting = {
        "payments.index": len(portal().links.asked_of(client_id)),
        "esign.index": portal().sign_requests.waiting_count(client_id),
    }
    return tuple(
        NavItem(
            label=tab.label,
            url=url_for(tab.endpoint),
            icon=tab.icon,
            active=here.startswith(tab.rooms),
            count=waiting.get(tab.endpoint, 0),
        )
        for tab in TABS
    )


def home_url() -> str:
    """Where a client lands after sign-in."""
    return url_for(TABS[0].endpoint)
