"""Serves the secure frame's pages: four templates, one script each, no state.

Runs in the vault zone on an origin (and site) of its own, so that the browser gives it a process of its own.
Its policy leaves the pages no way out but `postMessage` to the page that embeds them (docs/design.md, Zones).
"""

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import structlog
from flask import Flask, Response, abort, make_response, render_template, request, send_file, url_for

from chassis.errors import WayvaultError
from chassis.web.hosts import install_host_check
from chassis.web.proxies import install_proxies
from services.vault.config import VaultSettings

HERE = Path(__file__).parent
_CHASSIS_STATIC = HERE.parents[2] / "chassis" / "web" / "static"
MODES = ("capture", "reveal", "cvv", "gateway")
# Whose keys the form takes; what stands in the address is one of these or the first.
GATEWAYS = ("stripe", "authorizenet")
_TYPES = {".js": "text/javascript", ".css": "text/css", ".woff2": "font/woff2"}

# Of every answer, beside the policy.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-site",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), clipboard-read=()",
}

log = structlog.get_logger(__name__)


class SealingKeySource(Protocol):
    """Where the page's public sealing key comes from."""

    def current_public_jwk(self) -> Mapping[str, str]:
        """The key to render now, with its `kid`. Raises WayvaultError when the vault is out of reach."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameSettings:
    """`parents`: the origins that may embed the frame; any other is refused. `hosts`: the frame's own names."""

    parents: Sequence[str]
    hosts: frozenset[str] = field(default_factory=lambda: VaultSettings().allowed_hosts())
    https: bool = False
    trusted_proxies: int = 0
    proxy_header: str = "x-forwarded-for"

    @classmethod
    def of(cls, site: VaultSettings) -> "FrameSettings":
        """From the vault's settings."""
        return cls(
            parents=site.frame_parents,
            hosts=site.allowed_hosts(),
            https=site.https,
            trusted_proxies=site.trusted_proxies,
            proxy_header=site.proxy_header,
        )


def served_files() -> dict[str, Path]:
    """Every file that a secure page loads, by its public name: the whole list (PCI DSS 4.0.1, 6.4.3)."""
    files = {f"{mode}.js": HERE / "static" / "dist" / f"{mode}.js" for mode in MODES}
    files["frame.css"] = HERE / "static" / "frame.css"
    files["tokens.css"] = _CHASSIS_STATIC / "tokens.css"
    font = next(iter(sorted(_CHASSIS_STATIC.glob("vendor/**/inter-latin-wght-normal.woff2"))), None)
    if font:
        files["inter.woff2"] = font
    return files


def create_app(settings: FrameSettings, keys: SealingKeySource) -> Flask:
    """The Flask application of the frame host. Raises ValueError when a parent is no origin."""
    for parent in settings.parents:
        if not re.fullmatch(r"https?://[a-z0-9.-]+(:\d+)?", parent):
            raise ValueError(f"{parent!r} is not an origin such as https://crm.example.com")
    app = Flask("services.vault.frame", template_folder=str(HERE / "templates"), static_folder=None)
    install_proxies(app, settings, https=settings.https)
    app.after_request(_headers(settings))
    install_host_check(app, settings.hosts)
    app.add_url_rule("/healthz", "healthz", lambda: Response("ok", mimetype="text/plain"))
    app.add_url_rule("/asset/<name>", "asset", _asset)
    app.add_url_rule("/<any(capture, reveal, cvv, gateway):mode>", "page", _page(settings.parents, keys))
    app.jinja_env.globals["asset"] = lambda name: url_for("asset", name=name)
    return app


def _page(parents: Sequence[str], keys: SealingKeySource) -> Callable[[str], Response]:
    def page(mode: str) -> Response:
        parent = request.args.get("parent", "")
        if parent not in parents:
            abort(403)
        kind = _kind(mode, request.args.get("kind", ""))
        status, sealing_key = 200, ""
        try:
            sealing_key = json.dumps(dict(keys.current_public_jwk()))
        except WayvaultError as error:
            log.warning("frame.no_sealing_key", error=type(error).__name__)
            status = 503
        now = int(time.time() * 1000)
        html = render_template(
            f"frame/{mode}.html",
            now=now,
            mode=mode,
            kind=kind,
            asks_for_code=kind == "cvv" or request.args.get("cvv") != "none",
            parent=parent,
            sealing_key=sealing_key,
        )
        return make_response(html, status)

    return page


def _kind(mode: str, asked: str) -> str:
    if mode == "gateway":
        return asked if asked in GATEWAYS else GATEWAYS[0]
    return "cvv" if asked == "cvv" else "card"


def _asset(name: str) -> Response:
    path = served_files().get(name)
    if path is None or not path.is_file():
        abort(404)
    response = send_file(path, mimetype=_TYPES[path.suffix], conditional=True)
    response.headers["Cache-Control"] = "no-cache"
    return response


def policy_for(parents: Sequence[str]) -> str:
    """The secure pages' content security policy, for those that embed them."""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'none'; "
        f"form-action 'none'; base-uri 'none'; frame-ancestors {' '.join(parents)}"
    )


def _headers(settings: FrameSettings) -> Callable[[Response], Response]:
    policy = policy_for(settings.parents)

    def add(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = policy
        for name, value in HEADERS.items():
            response.headers[name] = value
        response.headers.setdefault("Cache-Control", "no-store")
        if settings.https:
            response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        return response

    return add
