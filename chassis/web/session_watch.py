"""The warning before a session idles out, *Stay signed in*, and what a page is told when it has ended.

The page's script (session-watch.js) asks how long is left, without keeping the session awake by it.
"""

from collections.abc import Callable
from typing import Final

from flask import Blueprint, Flask, abort, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf

from chassis.web.drafts import Draft, forget_sent_draft, waiting_draft
from chassis.web.sessions import ServerSessions, passive

# How long before the end a person is warned (WCAG 2.2.1 asks for 20 s at least).
WARNING_SECONDS: Final = 120


def install_session_watch(
    app: Flask,
    sessions: Callable[[], ServerSessions | None],
    *,
    subject: Callable[[], str],
    sign_in_url: Callable[[], str],
) -> None:
    """Watches the session that the page at hand stands on.

    `sessions` gives the kind of session that this browser has, None without one; `subject` whose it is, "" for nobody;
    `sign_in_url` where one signs in again.
    """
    room = Blueprint("session_watch", __name__)

    @room.get("/session/left")
    @passive
    def left() -> ResponseReturnValue:
        """How many seconds are left, and a fresh form token: another window may have signed in anew."""
        found = sessions()
        seconds = found.seconds_left() if found is not None else None
        if seconds is None:
            abort(401)
        return jsonify(seconds=seconds, csrf_token=generate_csrf())

    @room.post("/session/stay")
    def stay() -> ResponseReturnValue:
        """*Stay signed in*: a use like any other."""
        found = sessions()
        if found is None or found.seconds_left() is None:
            abort(401)
        return jsonify(seconds=int(found.idle.total_seconds()))

    app.register_blueprint(room)
    app.before_request(lambda: forget_sent_draft(subject()) if request.method == "POST" else None)
    app.context_processor(lambda: _context(sessions(), subject(), sign_in_url))


def _context(found: ServerSessions | None, subject: str, sign_in_url: Callable[[], str]) -> dict[str, object]:
    if found is None or not subject:
        return {"session_watch": None, "draft": None}
    draft: Draft | None = waiting_draft(subject)
    watch = {
        "seconds": int(found.idle.total_seconds()),
        "warning": WARNING_SECONDS,
        "left": url_for("session_watch.left"),
        "stay": url_for("session_watch.stay"),
        "sign_in": sign_in_url(),
    }
    return {"session_watch": watch, "draft": draft}
