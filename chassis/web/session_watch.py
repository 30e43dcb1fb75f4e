"""The warning before a session idles out, *Stay signed in*, and what a page is told when it has ended.

The page's script (session-watch.js) asks how long is left, without keeping the session awake by it.
"""

import hashlib
from collections.abc import Callable
from typing import Final

from flask import Blueprint, Flask, abort, current_app, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf

from chassis.web.drafts import Draft, forget_sent_draft, waiting_draft
from chassis.web.sessions import ServerSessions, passive

# How long before the end a person is warned (WCAG 2.2.1 asks for 20 s at least).
WARNING_SECONDS: Final = 120
_PERSON: Final = "wv_person"


def install_session_watch(
    app: Flask,
    sessions: Callable[[], ServerSessions | None],
    *,
    subject: Callable[[], str],
    sign_in_url: Callable[[], str],
    person: Callable[[], tuple[str, str]],
) -> None:
    """Watches the session that the page at hand stands on.

    `sessions` gives the kind of session that this browser has, None without one; `subject` whose drafts are shown, ""
    for nobody; `sign_in_url` where one signs in again; `person` the id and the name of who is signed in, both empty
    for nobody.
    """
    room = Blueprint("session_watch", __name__)
    app.extensions[_PERSON] = person

    @room.get("/session/left")
    @passive
    def left() -> ResponseReturnValue:
        """How long is left of whose session, and a fresh form token: another window may have signed in anew."""
        found = sessions()
        seconds = found.seconds_left() if found is not None else None
        if seconds is None:
            abort(401)
        return jsonify(seconds=seconds, who=_who(person()[0]), csrf_token=generate_csrf())

    @room.post("/session/stay")
    def stay() -> ResponseReturnValue:
        """*Stay signed in*: a use like any other."""
        found = sessions()
        if found is None or found.seconds_left() is None:
            abort(401)
        return jsonify(seconds=int(found.idle.total_seconds()))

    app.register_blueprint(room)
    app.before_request(lambda: forget_sent_draft(subject()) if request.method == "POST" else None)
    app.context_processor(lambda: _context(sessions(), subject(), person()[0], sign_in_url))


def signed_in_name() -> str:
    """Who is signed in in this browser, for the few words that say so; "" for nobody."""
    person = current_app.extensions.get(_PERSON)
    return str(person()[1]) if person is not None else ""


def _who(person_id: str) -> str:
    """Tells two people apart and says nothing of either; "" for nobody."""
    return hashlib.sha256(person_id.encode()).hexdigest()[:16] if person_id else ""


def _context(
    found: ServerSessions | None, subject: str, person_id: str, sign_in_url: Callable[[], str]
) -> dict[str, object]:
    if found is None or not subject:
        return {"session_watch": None, "draft": None}
    draft: Draft | None = waiting_draft(subject)
    watch = {
        "seconds": int(found.idle.total_seconds()),
        "warning": WARNING_SECONDS,
        "who": _who(person_id),
        "left": url_for("session_watch.left"),
        "stay": url_for("session_watch.stay"),
        "sign_in": sign_in_url(),
    }
    return {"session_watch": watch, "draft": draft}
