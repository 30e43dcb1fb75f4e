"""The CRM's web application."""

from flask import Blueprint, Flask, request, url_for

from chassis.web.app import make_app
from chassis.web.colour import DEFAULT_ACCENT
from chassis.web.drafts import Drafts, install_drafts
from chassis.web.formatting import use_zone
from chassis.web.page import Brand
from chassis.web.parts import hold
from chassis.web.session_watch import install_session_watch
from services.crm.access import pages as access
from services.crm.bootstrap import SERVICE
from services.crm.core.addresses import IdConverter
from services.crm.core.parts import Core
from services.crm.core.web import find_agent
from services.crm.navigation import rail, viewer
from services.crm.office import pages as office
from services.crm.orm import drafts
from services.crm.panels import fill_places
from services.crm.parts import Dependencies
from services.crm.paying import pages as paying
from services.crm.sales import pages as sales
from services.crm.signing import pages as signing
from services.crm.trips import pages as trips

# One shared folder for the few styles and scripts that the chassis has no part for.
_ASSETS = Blueprint("crm", __name__, static_folder="static", static_url_path="/static/crm", template_folder="templates")


def create_app(deps: Dependencies) -> Flask:
    """The app over the parts that the composition root joined."""
    app = make_app(
        import_name=__name__,
        service=SERVICE,
        title="Wayvault",
        settings=deps.core.settings,
        database=deps.core.database,
        layout="desk",
        frame_origin=deps.core.settings.frame_origin,
        clock=deps.core.clock,
    )
    hold(app, deps.core, deps.access, deps.sales, deps.trips, deps.paying, deps.signing, deps.office)
    app.url_map.converters["id"] = IdConverter
    deps.core.sessions.init_app(app)
    app.register_blueprint(_ASSETS)
    for street in (access, sales, trips, paying, signing, office):
        for room in street.ROOMS:
            app.register_blueprint(room)
    access.join(app)
    sales.join(app)
    paying.join(app, deps.core, deps.paying)
    fill_places(app)
    _watch_sessions(app, deps.core)
    app.before_request(_read_times_in_agents_zone)
    app.context_processor(lambda: _page_context(deps))
    return app


def _watch_sessions(app: Flask, core: Core) -> None:
    """Warns before the idle limit, and keeps for an agent's return what was sent too late."""

    def subject() -> str:
        actor = find_agent()
        return actor.agent_id if actor is not None else ""

    def person() -> tuple[str, str]:
        actor = find_agent()
        return (actor.agent_id, actor.name) if actor is not None else ("", "")

    secret_key = core.settings.require_secret_key()
    install_drafts(app, Drafts(core.database, drafts, core.clock, secret_key=secret_key))
    install_session_watch(
        app,
        lambda: core.sessions if find_agent() is not None else None,
        subject=subject,
        sign_in_url=lambda: url_for("auth.sign_in"),
        person=person,
    )


def _read_times_in_agents_zone() -> None:
    if not (request.endpoint or "").endswith("static") and (actor := find_agent()) is not None:
        use_zone(actor.time_zone)


def _page_context(deps: Dependencies) -> dict[str, object]:
    """What the layouts show: the agency, where one can go, who is signed in."""
    actor = find_agent()
    if actor is None:
        return {"brand": Brand(name="Wayvault"), "nav": (), "viewer": None}
    agency = deps.access.directory.agency(actor.agency_id)
    brand = Brand(
        name=agency.name,
        accent=agency.data.accent_colour or DEFAULT_ACCENT,
        logo_url=url_for("agency.logo", sha256=agency.logo_sha256) if agency.logo_sha256 else "",
    )
    return {
        "brand": brand,
        "nav": rail(deps, actor, agency),
        "viewer": viewer(actor),
        "search_url": url_for("finding.show"),
    }
