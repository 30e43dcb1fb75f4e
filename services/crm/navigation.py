"""Where one can go: the CRM's rail and the agent's own menu.

A room adds its line here; it shows once its endpoint exists. `rooms` are the beginnings of the endpoints on whose
pages the line is the present one. The order is that of a working day: what waits, people, trips, money (the phone's
bar has these), new requests, paper; then help; then what only admins have.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import current_app, request, url_for

from chassis.web.page import NavItem, Viewer
from services.crm.access.agency.service import AgencyDetail
from services.crm.core.actor import Actor
from services.crm.parts import Dependencies


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of the rail. `apart` begins a new group; `admin` lines are for admins."""

    label: str
    endpoint: str
    icon: str
    rooms: tuple[str, ...]
    admin: bool = False
    apart: bool = False


RAIL = (
    Line(label="Dashboard", endpoint="dashboard.show", icon="layout-dashboard", rooms=("dashboard.", "mail_outcomes.")),
    Line(
        label="Clients",
        endpoint="clients.index",
        icon="users",
        rooms=("clients.", "importing.", "household.", "groups.", "merging.", "tasks.", "portal_access."),
    ),
    Line(
        label="Bookings",
        endpoint="bookings.index",
        icon="luggage",
        rooms=("bookings.", "links.", "documents.", "itinerary.", "insurance."),
    ),
    Line(
        label="Payments",
        endpoint="payments.report",
        icon="credit-card",
        rooms=("payments.", "payment_page.", "reveal."),
    ),
    Line(label="Calendar", endpoint="calendar.month", icon="calendar-days", rooms=("calendar.",)),
    Line(label="Calls", endpoint="phone.calls", icon="phone", rooms=("phone.",)),
    Line(label="Links", endpoint="link_overview.index", icon="link", rooms=("link_overview.",)),
    Line(label="Standing orders", endpoint="standing_orders.index", icon="repeat", rooms=("standing_orders.",)),
    Line(label="Quotes", endpoint="quotes.index", icon="inbox", rooms=("quotes.",)),
    Line(label="Suppliers", endpoint="suppliers.index", icon="store", rooms=("suppliers.",)),
    Line(label="Documents", endpoint="esign.index", icon="file-text", rooms=("esign.",)),
    Line(label="Reminders", endpoint="reminders.index", icon="bell", rooms=("reminders.",)),
    Line(label="Reports", endpoint="reports.index", icon="chart-column", rooms=("reports.",)),
    Line(label="Training", endpoint="training.index", icon="graduation-cap", rooms=("training.",), apart=True),
    Line(label="Support", endpoint="support.index", icon="life-buoy", rooms=("support.",)),
    Line(
        label="Approvals",
        endpoint="second_reveals.index",
        icon="shield-check",
        rooms=("second_reveals.", "refund_approvals."),
        admin=True,
        apart=True,
    ),
    Line(
        label="Agency",
        endpoint="agency.show",
        icon="building",
        rooms=("agency.", "audit.", "gateway_keys.", "first_steps.", "handouts."),
        admin=True,
    ),
)


# Pages of the agent's own menu: no line of the rail leads there.
_OWN = frozenset({"agency.profile", "public_pages.show"})


def rail(deps: Dependencies, actor: Actor, agency: AgencyDetail) -> tuple[NavItem, ...]:
    """The rail of this request."""
    here = request.endpoint or ""
    waiting = deps.core.waiting.of(actor)
    counts = {
        "quotes.index": waiting["quotes"],
        "support.index": waiting["tickets"],
        "second_reveals.index": _approvals(waiting, agency),
    }
    lines = [line for line in RAIL if _shows(line, actor, agency)]
    return tuple(
        NavItem(
            label=line.label,
            url=url_for(line.endpoint),
            icon=line.icon,
            active=here.startswith(line.rooms) and here not in _OWN,
            count=counts.get(line.endpoint, 0),
            # The group begins with its first line that shows.
            apart=any(one.apart for one in _group_before(line, lines)),
        )
        for line in lines
    )


def viewer(actor: Actor) -> Viewer:
    """Who is signed in, and their own menu."""
    menu = (
        NavItem(label="Your profile", url=url_for("agency.profile"), icon="circle-user-round"),
        NavItem(label="Your public page", url=url_for("public_pages.show"), icon="globe"),
        NavItem(label="Sign-in and sessions", url=url_for("auth.account"), icon="shield-check"),
        NavItem(label="E-mails that did not arrive", url=url_for("mail_outcomes.index"), icon="mail-warning"),
    )
    return Viewer(name=actor.name, detail=actor.email, menu=menu, sign_out_url=url_for("auth.sign_out"))


def _shows(line: Line, actor: Actor, agency: AgencyDetail) -> bool:
    if line.endpoint not in current_app.view_functions or (line.admin and not actor.is_admin):
        return False
    return line.endpoint != "second_reveals.index" or _has_approvals(agency)


def _has_approvals(agency: AgencyDetail) -> bool:
    return agency.data.second_reveal or agency.data.refund_limit is not None


def _approvals(waiting: Mapping[str, int], agency: AgencyDetail) -> int:
    """How many requests wait for an admin, of the kinds that the agency has."""
    reveals = waiting["second reveals"] if agency.data.second_reveal else 0
    return reveals + (waiting["refund requests"] if agency.data.refund_limit is not None else 0)


def _group_before(line: Line, lines: list[Line]) -> list[Line]:
    """The lines of RAIL from behind the line that shows before this one up to this one."""
    place = lines.index(line)
    first = RAIL.index(lines[place - 1]) + 1 if place else len(RAIL)
    return list(RAIL[first : RAIL.index(line) + 1])
