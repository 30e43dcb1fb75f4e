"""The portal's web application."""

from flask import Flask, request, url_for

from chassis.paper import faces
from chassis.web.app import make_app
from chassis.web.drafts import Drafts, install_drafts
from chassis.web.session_watch import install_session_watch
from chassis.web.sessions import ServerSessions
from services.portal.account import find_client, guard
from services.portal.account.views import blueprint as account_pages
from services.portal.agencies import views as agency_pages
from services.portal.bootstrap import SERVICE, Dependencies
from services.portal.cvv.views import CvvPages
from services.portal.documents import views as document_pages
from services.portal.esign import views as esign_pages
from services.portal.esign.pages import SigningPages
from services.portal.insurance import views as insurance_pages
from services.portal.links.views import link_pages
from services.portal.nav import count_on_tab
from services.portal.orm import drafts
from services.portal.pages import install_brand
from services.portal.payments.views import PaymentPages
from services.portal.profile import views as profile_pages
from services.portal.quotes import views as quote_pages
from services.portal.trips import views as trip_pages
from services.portal.verify.views import VerifyPages


def create_app(deps: Dependencies) -> Flask:
    """The app over the parts that the composition root joined."""
    app = make_app(
        import_name=__name__,
        service=SERVICE,
        title="Client portal",
        settings=deps.settings,
        database=deps.database,
        layout="guest",
        frame_origin=deps.settings.frame_origin,
        clock=deps.clock,
    )
    deps.sessions.init_app(app)
    deps.accounts.sessions.init_app(app)
    app.extensions[guard.EXTENSION] = deps.accounts
    _watch_sessions(app, deps)
    app.extensions[agency_pages.EXTENSION] = deps.agencies
    app.register_blueprint(agency_pages.blueprint)
    install_brand(app)
    app.register_blueprint(link_pages(deps.links, deps.access))
    pages = PaymentPages(
        links=deps.links,
        payments=deps.payments,
        documents=deps.documents,
        access=deps.access,
        on_file=deps.on_file,
        own_refusal=deps.own_payments.refusal,
    )
    app.register_blueprint(pages.blueprint())
    app.register_blueprint(CvvPages(links=deps.cvv, access=deps.access).blueprint())
    app.register_blueprint(account_pages)
    _add_trips(app, deps)
    _add_papers(app, deps)
    app.register_blueprint(VerifyPages(verification=deps.verification, throttle=deps.throttle).blueprint())
    app.extensions[profile_pages.EXTENSION] = deps.profiles
    app.register_blueprint(profile_pages.blueprint)
    app.extensions[quote_pages.EXTENSION] = quote_pages.QuotePages(
        quotes=deps.quotes, agents=deps.agents, throttle=deps.throttle, clock=deps.clock
    )
    app.register_blueprint(quote_pages.blueprint)
    faces.warm()
    return app


def _watch_sessions(app: Flask, deps: Dependencies) -> None:
    """Warns before the idle limit, and keeps for a client's return what was sent too late: of a link's page for who
    opens that link again, of other pages for the client who signs in again."""

    def held_link() -> str:
        ids = request.view_args or {}
        link_id = str(ids.get("link_id") or ids.get("request_id") or "")
        return link_id if link_id and deps.access.holds(link_id) else ""

    def sessions() -> ServerSessions | None:
        if find_client() is not None:
            return deps.accounts.sessions
        return deps.sessions if deps.sessions.current() is not None else None

    def subject() -> str:
        client = find_client()
        return held_link() or (client.client_id if client is not None else "")

    def sign_in_url() -> str:
        return url_for("account.sign_in") if find_client() is not None else request.path

    secret_key = deps.settings.require_secret_key()
    install_drafts(app, Drafts(deps.database, drafts, deps.clock, secret_key=secret_key))
    install_session_watch(app, sessions, subject=subject, sign_in_url=sign_in_url)


def _add_trips(app: Flask, deps: Dependencies) -> None:
    """Trips with their documents; how many payments are asked of the client shows on the tab."""
    app.extensions[trip_pages.EXTENSION] = trip_pages.TripPages(
        trips=deps.trips,
        own_payments=deps.own_payments,
        own_reports=deps.own_reports,
        payments=deps.payments,
        links=deps.links,
        documents=deps.trip_documents,
    )
    app.register_blueprint(trip_pages.blueprint)
    app.extensions[document_pages.EXTENSION] = document_pages.DocumentPages(
        documents=deps.trip_documents, trips=deps.trips
    )
    app.register_blueprint(document_pages.blueprint)
    count_on_tab(app, "payments.index", lambda client_id: len(deps.links.asked_of(client_id)))


def _add_papers(app: Flask, deps: Dependencies) -> None:
    """What clients sign: documents and insurance offers, by link and in the tab."""
    rooms = [
        SigningPages(
            room,
            requests=deps.sign_requests,
            documents=deps.documents,
            access=deps.access,
            on_file=deps.on_file,
        ).blueprint()
        for room in (esign_pages.ROOM, insurance_pages.ROOM)
    ]
    esign_pages.add_tab(rooms[0], requests=deps.sign_requests, documents=deps.documents)
    for room in rooms:
        app.register_blueprint(room)
    count_on_tab(app, "esign.index", deps.sign_requests.waiting_count)
