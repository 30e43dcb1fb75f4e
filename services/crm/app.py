"""The CRM's web application."""

from dataclasses import replace

from flask import Blueprint, Flask, request, url_for

from chassis.web.app import make_app
from chassis.web.colour import DEFAULT_ACCENT
from chassis.web.formatting import use_zone
from chassis.web.page import Brand
from services.crm.access.agency.views import blueprint as admin
from services.crm.access.auth.views import blueprint as auth
from services.crm.bootstrap import SERVICE, Dependencies
from services.crm.core.addresses import IdConverter
from services.crm.core.panels import Panels
from services.crm.core.web import find_agent
from services.crm.navigation import rail, viewer
from services.crm.office.dashboard.views import blueprint as dashboard
from services.crm.office.pages import join_office_rooms
from services.crm.office.reports.views import blueprint as reports
from services.crm.paying.pages import join_payment_rooms
from services.crm.paying.reminders.views import blueprint as reminders
from services.crm.paying.reminders.views import booking_panel as reminders_panel
from services.crm.sales.clients.household_views import blueprint as household
from services.crm.sales.clients.service import ClientMoved
from services.crm.sales.clients.views import blueprint as clients
from services.crm.sales.clients.views import follow_merge
from services.crm.sales.merging.views import blueprint as merging
from services.crm.sales.merging.views import history_panel
from services.crm.sales.portal_access.views import blueprint as portal_access
from services.crm.sales.portal_access.views import client_panel as portal_access_panel
from services.crm.sales.tasks.views import blueprint as tasks
from services.crm.sales.tasks.views import client_panel as tasks_panel
from services.crm.signing.pages import join_signing_rooms
from services.crm.trips.bookings.views import blueprint as bookings
from services.crm.trips.pages import join_travel_rooms
from services.crm.trips.quotes.views import blueprint as quotes
from services.crm.trips.quotes.views import dashboard_panel as quotes_panel

# One shared folder for the few styles and scripts that the chassis has no part for.
_ASSETS = Blueprint("crm", __name__, static_folder="static", static_url_path="/static/crm", template_folder="templates")
_ROOMS = (
    auth,
    dashboard,
    clients,
    household,
    tasks,
    merging,
    portal_access,
    quotes,
    bookings,
    reminders,
    reports,
    admin,
)


def create_app(deps: Dependencies) -> Flask:
    """The app over the parts that the composition root joined."""
    app = make_app(
        import_name=__name__,
        service=SERVICE,
        title="Wayvault",
        settings=deps.settings,
        database=deps.database,
        layout="desk",
        frame_origin=deps.settings.frame_origin,
        clock=deps.clock,
    )
    # Panels are of the pages: another application over the same parts joins its own.
    deps = replace(deps, panels=Panels())
    app.extensions["crm"] = deps
    app.url_map.converters["id"] = IdConverter
    deps.sessions.init_app(app)
    app.register_blueprint(_ASSETS)
    for room in _ROOMS:
        app.register_blueprint(room)
    deps.panels.client.append(tasks_panel)
    join_payment_rooms(app, deps)
    join_signing_rooms(app, deps)
    join_travel_rooms(app, deps)
    join_office_rooms(app, deps)
    deps.panels.booking.append(reminders_panel)
    deps.panels.client.append(portal_access_panel)
    deps.panels.dashboard.append(quotes_panel)
    deps.panels.client.append(history_panel)
    app.register_error_handler(ClientMoved, follow_merge)
    app.before_request(_read_times_in_agents_zone)
    app.context_processor(lambda: _page_context(deps))
    return app


def _read_times_in_agents_zone() -> None:
    if not (request.endpoint or "").endswith("static") and (actor := find_agent()) is not None:
        use_zone(actor.time_zone)


def _page_context(deps: Dependencies) -> dict[str, object]:
    """What the layouts show: the agency, where one can go, who is signed in."""
    actor = find_agent()
    if actor is None:
        return {"brand": Brand(name="Wayvault"), "nav": (), "viewer": None}
    agency = deps.directory.agency(actor.agency_id)
    brand = Brand(
        name=agency.name,
        accent=agency.data.accent_colour or DEFAULT_ACCENT,
        logo_url=url_for("admin.logo", sha256=agency.logo_sha256) if agency.logo_sha256 else "",
    )
    return {
        "brand": brand,
        "nav": rail(deps, actor, agency),
        "viewer": viewer(actor),
        "search_url": url_for("clients.search"),
    }
