"""What every room's views share: who is signed in, and who may come in."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, cast

from flask import abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from chassis.web.drafts import keep_draft
from chassis.web.framing import may_be_framed
from services.portal.account.service import PresentClient
from services.portal.parts import portal

P = ParamSpec("P")
View = Callable[P, ResponseReturnValue]


def find_client() -> PresentClient | None:
    """The client signed in, or None. Looked up afresh in each request: who was withdrawn is out at once. A page in a
    frame on another site knows nobody."""
    if may_be_framed():
        return None
    if "portal_client" not in g:
        session = portal().accounts.sessions.current()
        g.portal_client = portal().accounts.find(session.subject) if session is not None else None
    return cast("PresentClient | None", g.portal_client)


def current_client() -> PresentClient:
    """The client signed in; only in views behind `client_required`."""
    client = find_client()
    if client is None:
        raise RuntimeError("current_client() in a view without client_required")
    return client


def client_required(view: View[P]) -> View[P]:
    """Lets signed-in clients in and sends others to sign-in, which brings them back here. A script gets 401."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if find_client() is not None:
            return view(*args, **kwargs)
        if request.is_json or "HX-Request" in request.headers or request.headers.get("Sec-Fetch-Dest") == "empty":
            abort(401)
        lost = portal().accounts.sessions.lost()
        target = keep_draft(lost.subject if lost is not None else "")
        return redirect(url_for("account.sign_in", next=None if target == "/" else target), 303)

    return guarded
