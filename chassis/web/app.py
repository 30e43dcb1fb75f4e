"""The Flask application that every web process starts from."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from flask import Blueprint, Flask, Response, abort, current_app, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFProtect
from jinja2 import StrictUndefined
from pydantic import SecretStr
from sqlalchemy import text

from chassis.clock import Clock, SystemClock
from chassis.db import sharing_reads
from chassis.web.colour import DEFAULT_ACCENT, parse_hex, theme_css
from chassis.web.compiled import keep_compiled_templates
from chassis.web.errors import install_error_pages
from chassis.web.formatting import register_filters
from chassis.web.hosts import install_host_check
from chassis.web.icons import icon
from chassis.web.known_devices import KnownDevices, install_known_devices
from chassis.web.link_repair import install_link_repair
from chassis.web.proxies import ProxySettings, install_proxies
from chassis.web.requests import install_request_log
from chassis.web.security import install_headers
from chassis.web.senders import install_sender_check
from chassis.web.static_files import install_static_files
from chassis.web.tripwire import MAX_TEXT_BODY, install_tripwire

if TYPE_CHECKING:
    from chassis.db import Database

Layout = Literal["desk", "guest", "bare"]

_HERE = Path(__file__).parent
_ASSET_MAX_AGE = 7 * 24 * 3600
_MAX_BODY = 12 * 1024 * 1024
_MAX_FORM_MEMORY = MAX_TEXT_BODY


class WebSettings(ProxySettings, Protocol):
    """What the layer reads of a service's settings."""

    @property
    def secret_key(self) -> SecretStr: ...

    @property
    def environment(self) -> str: ...

    @property
    def public_url(self) -> str: ...

    @property
    def state_dir(self) -> Path: ...

    def allowed_hosts(self) -> frozenset[str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WebContext:
    """What the layer's parts need at run time; in `app.extensions["wayvault"]`."""

    service: str
    title: str
    layout: Layout
    clock: Clock
    database: "Database | None"
    frame_origin: str | None
    https: bool


def make_app(
    *,
    import_name: str,
    service: str,
    title: str,
    settings: WebSettings,
    database: "Database | None",
    layout: Layout,
    frame_origin: str | None = None,
    clock: Clock | None = None,
) -> Flask:
    """An app with policy headers, CSRF, card tripwire, error pages, filters and health; no views yet.

    `layout` is the one its error pages use. `database` None means /healthz answers without asking one.
    Layouts read `brand`, `nav`, `viewer` and `alert` from the service's context processor (chassis.web.page).
    """
    https = settings.public_url.startswith("https://")
    app = Flask(import_name)
    app.extensions["wayvault"] = WebContext(
        service=service,
        title=title,
        layout=layout,
        clock=clock or SystemClock(),
        database=database,
        frame_origin=frame_origin,
        https=https,
    )
    _configure(app, service=service, settings=settings, https=https)
    _configure_templates(app)
    keep_compiled_templates(app, settings.state_dir / "cache" / service)
    _share_reads(app)
    install_proxies(app, settings, https=https)
    # The order matters: measure everything, answer to our own name and our own pages only, refuse card numbers before
    # anything reads the body, then check CSRF.
    install_request_log(app, service=service)
    install_host_check(app, settings.allowed_hosts())
    install_sender_check(app)
    install_link_repair(app)
    install_headers(app, frame_origin=frame_origin, https=https)
    install_static_files(app)
    install_tripwire(app)
    CSRFProtect(app)
    install_error_pages(app)
    install_known_devices(app, KnownDevices(settings.secret_key.get_secret_value(), service=service, https=https))
    app.register_blueprint(_chassis_blueprint())
    return app


def ask_no_form_token(app: Flask, view: Callable[..., ResponseReturnValue]) -> None:
    """For a view whose callers bring something signed instead: machines, and forms in a frame on another site."""
    protection: CSRFProtect = app.extensions["csrf"]
    protection.exempt(view)


def _share_reads(app: Flask) -> None:
    """Lets the parts of one page share what they read. The later parts of a stream read for themselves."""
    inner = app.wsgi_app

    def run(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:  # Any: WSGI's
        with sharing_reads():
            return inner(environ, start_response)

    app.wsgi_app = run  # type: ignore[method-assign]  # as Flask's own documentation wraps it


def _configure(app: Flask, *, service: str, settings: WebSettings, https: bool) -> None:
    app.config.update(
        SECRET_KEY=settings.secret_key.get_secret_value(),
        # Flask's own signed cookie carries the CSRF token and one-time notices, nothing else.
        SESSION_COOKIE_NAME=f"__Host-wv_{service}_form" if https else f"wv_{service}_form",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=https,
        SESSION_COOKIE_PATH="/",
        WTF_CSRF_TIME_LIMIT=None,
        # Referrers are cut by policy; the token, bound to the cookie, is the proof.
        WTF_CSRF_SSL_STRICT=False,
        MAX_CONTENT_LENGTH=_MAX_BODY,
        MAX_FORM_MEMORY_SIZE=_MAX_FORM_MEMORY,
        MAX_FORM_PARTS=2000,
        TEMPLATES_AUTO_RELOAD=settings.environment == "development",
        PROPAGATE_EXCEPTIONS=False,
    )


def _configure_templates(app: Flask) -> None:
    # A misspelt name in a template is an error, but the optional names of the layouts may be absent.
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    register_filters(app)
    context: WebContext = app.extensions["wayvault"]
    app.jinja_env.globals.update(
        icon=icon,
        app_title=context.title,
        app_layout=context.layout,
        frame_origin=context.frame_origin,
        asset=_asset,
        theme_url=_theme_url,
    )


def _asset(path: str) -> str:
    """The address of a chassis asset: `{{ asset("app.css") }}`, `{{ asset("vendor/htmx.min.js") }}`."""
    return url_for("chassis.static", filename=path)


def _theme_url(accent: str) -> str:
    """The address of the style sheet that carries an agency's colour."""
    return url_for("chassis.theme", accent=(accent or DEFAULT_ACCENT).lstrip("#").lower())


def _chassis_blueprint() -> Blueprint:
    room = Blueprint(
        "chassis",
        __name__,
        static_folder=str(_HERE / "static"),
        static_url_path="/static/chassis",
        template_folder=str(_HERE / "templates"),
    )
    room.add_url_rule("/theme/<accent>.css", "theme", _theme)
    room.add_url_rule("/healthz", "healthz", _healthz)
    return room


def _theme(accent: str) -> Response:
    try:
        parse_hex(accent)
    except ValueError:
        abort(404)
    response = Response(theme_css(accent), mimetype="text/css")
    response.cache_control.public = True
    response.cache_control.max_age = _ASSET_MAX_AGE
    return response


def _healthz() -> Response:
    """200 "ok" when the process can do its work: its database answers."""
    context: WebContext = current_app.extensions["wayvault"]
    if context.database is not None:
        with context.database.read() as session:
            session.execute(text("SELECT 1"))
    return Response("ok", mimetype="text/plain")
