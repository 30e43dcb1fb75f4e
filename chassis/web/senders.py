"""Only our own pages send forms here. A page of another site is refused, whatever token or cookie came with its form.

Browsers say who sends (Fetch Metadata, Sec-Fetch-Site; older ones by Origin only). The token stays the proof: machines
say neither, and nobody can forge these two headers from a page. Pages that other sites may frame act in nobody's name,
and a site may shut them in a frame without an origin: they are not asked.
"""

from typing import Final
from urllib.parse import urlsplit

from flask import Flask, request
from flask_wtf.csrf import CSRFError

from chassis.web.framing import may_be_framed
from chassis.web.hosts import host_name

_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
# `none`: the person themselves, who sends a form once more from the browser's own menu.
_OURS: Final = frozenset({"same-origin", "none"})


class ForeignForm(CSRFError):  # type: ignore[misc]  # Flask-WTF has no types
    """Another site's page sent it."""


def install_sender_check(app: Flask) -> None:
    """Answers 403 to what another site's page would have done here."""

    def check() -> None:
        if request.method not in _READING and not may_be_framed() and not _sent_by_us():
            raise ForeignForm

    app.before_request(check)


def _sent_by_us() -> bool:
    if site := request.headers.get("Sec-Fetch-Site"):
        return site in _OURS
    origin = request.headers.get("Origin", "")
    if not origin or origin == "null":
        return True
    try:
        name = urlsplit(origin).netloc
    except ValueError:
        return False
    return host_name(name) == host_name(request.environ.get("HTTP_HOST", ""))
