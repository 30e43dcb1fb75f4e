"""Headers of every answer: content security policy with a nonce, and what else keeps a page to itself."""

import secrets

from flask import Flask, Response, g, request

from chassis.web.framing import framing_policy


def csp_nonce() -> str:
    """This request's nonce, for the rare inline script: `<script nonce="{{ csp_nonce() }}">`."""
    if "wv_csp_nonce" not in g:
        g.wv_csp_nonce = secrets.token_urlsafe(18)
    return str(g.wv_csp_nonce)


def content_security_policy(nonce: str, frame_origin: str | None) -> str:
    """No inline script or style, nothing from elsewhere, nobody may frame us; only the secure frame is framed."""
    directives = {
        "default-src": "'none'",
        "script-src": f"'self' 'nonce-{nonce}'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "manifest-src": "'self'",
        "frame-src": frame_origin or "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "object-src": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in directives.items())


HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # The page's address never travels: a link's id is nobody else's business.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Permitted-Cross-Domain-Policies": "none",
}


def install_headers(app: Flask, *, frame_origin: str | None, https: bool) -> None:
    """Adds the headers to every answer. A view that set a header of its own (the secure frame's host) keeps it; a page
    that may be framed (chassis.web.framing) has a policy of its own."""

    def add(response: Response) -> Response:
        headers = response.headers
        framed = framing_policy()
        policy = framed or content_security_policy(csp_nonce(), frame_origin)
        headers.setdefault("Content-Security-Policy", policy)
        for name, value in HEADERS.items():
            # It knows no lists of origins, and would refuse them all.
            if name != "X-Frame-Options" or framed is None:
                headers.setdefault(name, value)
        if https:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
        if not _may_be_cached():
            headers["Cache-Control"] = "no-store"
        elif _is_feed():
            headers["Cache-Control"] = "private, no-cache"
        return response

    app.after_request(add)
    app.jinja_env.globals["csp_nonce"] = csp_nonce


def _may_be_cached() -> bool:
    endpoint = request.endpoint or ""
    # A logo's address carries the hash of what it shows.
    return endpoint in ("static", "chassis.theme") or endpoint.endswith((".static", ".logo")) or _is_feed()


def _is_feed() -> bool:
    """Calendars keep what they subscribe to, and ask whether it has changed."""
    return (request.endpoint or "").endswith(".feed")
