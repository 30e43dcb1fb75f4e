"""The red alert's faces: the slot on every page, a stream of changes, and the same for browsers that ask (M3).

The stream also says that there is news, so that open pages follow what happens by themselves.
"""

import time
from collections.abc import Iterator
from typing import Final

from flask import Blueprint, Response, jsonify, render_template, url_for
from flask.typing import ResponseReturnValue

from chassis.web.page import PendingAlert
from chassis.web.parts import held
from chassis.web.server import is_ending
from chassis.web.sessions import passive
from services.crm.core.web import current_agent, find_agent, login_required
from services.crm.paying.alerts.service import DeskSign
from services.crm.paying.alerts.watcher import DeskWatcher, TooManyStreams
from services.crm.paying.parts import paying

blueprint = Blueprint(
    "alerts", __name__, template_folder="templates", static_folder="static", static_url_path="/static/alerts"
)

# A stream ends after this many seconds and the browser opens the next: so a session that ended stops hearing.
_STREAM_SECONDS: Final = 60
# Between two signs of life; a browser that went away is noticed by then.
_HEARTBEAT_SECONDS: Final = 5.0
# How soon a stream ends when its process is told to.
_LOOK_SECONDS: Final = 0.5


@blueprint.app_context_processor
def alert_slot() -> dict[str, object]:
    """What desk.html shows in its slot, and the script that keeps it fresh."""
    actor = find_agent()
    if actor is None:
        return {"alert": None}
    script = url_for("alerts.static", filename="alerts.js")
    sign = paying().signs.of(actor)
    return {"alert": _alert(sign), "desk_news": sign.news, "page_scripts": [script]}


@blueprint.get("/alerts/pending")
@passive
@login_required
def pending() -> ResponseReturnValue:
    """The slot's content, as a fragment."""
    return render_template("alerts/slot.html", alert=_alert(paying().signs.of(current_agent())))


@blueprint.get("/alerts/count")
@passive
@login_required
def count() -> ResponseReturnValue:
    """How many payments wait, and the mark of the newest news, for browsers that can't hold a stream."""
    sign = paying().signs.of(current_agent())
    return jsonify(count=sign.pending, news=sign.news)


@blueprint.get("/alerts/stream")
@passive
@login_required
def stream() -> ResponseReturnValue:
    """Server-sent events: `count` and `news`, at once and at each change. One tab of a browser holds it for all."""
    agent_id = current_agent().agent_id
    events = _events(held(DeskWatcher), agent_id)
    try:
        first = next(events)
    except TooManyStreams:
        return Response("", status=503, headers={"Retry-After": "30"})
    response = Response(_after(first, events), mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _alert(sign: DeskSign) -> PendingAlert | None:
    return PendingAlert(count=sign.pending, url=url_for("payments.report")) if sign.pending else None


def _events(watcher: DeskWatcher, agent_id: str) -> Iterator[str]:
    with watcher.listening(agent_id) as place:
        yield "retry: 1000\n\n"
        seen: DeskSign | None = None
        quiet = 0.0
        ends = time.monotonic() + _STREAM_SECONDS
        while time.monotonic() < ends and not is_ending() and not place.displaced:
            changed = place.wait(seen, timeout=_LOOK_SECONDS)
            quiet = quiet + _LOOK_SECONDS if changed is None else 0.0
            if changed is not None:
                yield from _told(changed, seen)
                seen = changed
            elif quiet >= _HEARTBEAT_SECONDS:
                quiet = 0.0
                yield ": still here\n\n"


def _told(sign: DeskSign, seen: DeskSign | None) -> Iterator[str]:
    if seen is None or sign.pending != seen.pending:
        yield f"event: count\ndata: {sign.pending}\n\n"
    if seen is None or sign.news != seen.news:
        yield f"event: news\ndata: {sign.news}\n\n"


def _after(first: str, events: Iterator[str]) -> Iterator[str]:
    yield first
    yield from events
