"""The portal's web application."""

from flask import Flask, request, url_for

from chassis.paper import faces
from chassis.web.app import ask_no_form_token, make_app
from chassis.web.drafts import Drafts, install_drafts
from chassis.web.parts import hold
from chassis.web.session_watch import install_session_watch
from chassis.web.sessions import ServerSessions
from services.portal.bootstrap import SERVICE
from services.portal.looks import install_brand
from services.portal.orm import drafts
from services.portal.pages import ROOMS
from services.portal.parts import Dependencies
from services.portal.quotes.views import embed as embedded_form
from services.portal.web import find_client


def create_app(deps: Dependencies) -> Flask:
    """The app over the parts that the composition root joined."""
    app = make_app(
        import_name=__name__,
        service=SERVICE,
        title="Client portal",
        settings=deps.core.settings,
        database=deps.core.database,
        layout="guest",
        frame_origin=deps.core.settings.frame_origin,
        clock=deps.core.clock,
    )
    hold(app, deps)
    deps.core.sessions.init_app(app)
    deps.accounts.sessions.init_app(app)
    _watch_sessions(app, deps)
    install_brand(app)
    for room in ROOMS:
        app.register_blueprint(room)
    # In a frame on another site no cookie comes along; its form is signed instead.
    ask_no_form_token(app, embedded_form)
    faces.warm()
    return app


def _watch_sessions(app: Flask, deps: Dependencies) -> None:
    """Warns before the idle limit, and keeps for a client's return what was sent too late: of a link's page for who
    opens that link again, of other pages for the client who signs in again."""

    def held_link() -> str:
        ids = request.view_args or {}
        link_id = str(ids.get("link_id") or ids.get("request_id") or ids.get("visit_id") or "")
        return link_id if link_id and deps.access.holds(link_id) else ""

    def sessions() -> ServerSessions | None:
        if find_client() is not None:
            return deps.accounts.sessions
        return deps.core.sessions if deps.core.sessions.current() is not None else None

    def subject() -> str:
        client = find_client()
        return held_link() or (client.client_id if client is not None else "")

    def sign_in_url() -> str:
        return url_for("account.sign_in") if find_client() is not None else request.path

    def person() -> tuple[str, str]:
        client = find_client()
        return (client.client_id, client.name) if client is not None else ("", "")

    secret_key = deps.core.settings.require_secret_key()
    install_drafts(app, Drafts(deps.core.database, drafts, deps.core.clock, secret_key=secret_key))
    install_session_watch(app, sessions, subject=subject, sign_in_url=sign_in_url, person=person)
