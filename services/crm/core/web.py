"""What every room's views share: who is signed in, and who may come in."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec, Protocol, cast

from flask import Flask, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from chassis.errors import NotFound
from chassis.web.drafts import keep_draft
from chassis.web.parts import held, hold
from services.crm.core.actor import Actor
from services.crm.core.parts import core

P = ParamSpec("P")
View = Callable[P, ResponseReturnValue]


class WhoIsSignedIn(Protocol):
    """Finds the agent of this request; the street of access has it."""

    def __call__(self) -> Actor | None: ...


@dataclass(frozen=True, slots=True)
class _SignIn:
    who: WhoIsSignedIn


def join_sign_in(app: Flask, who: WhoIsSignedIn) -> None:
    """Tells an application how its pages learn who is signed in."""
    hold(app, _SignIn(who))


def find_agent() -> Actor | None:
    """The agent signed in, or None. Looked up afresh in each request: a deactivated agent is out at once."""
    if "crm_actor" not in g:
        g.crm_actor = _load_agent()
    return cast("Actor | None", g.crm_actor)


def current_agent() -> Actor:
    """The agent signed in; only in views behind `login_required` or `admin_required`."""
    actor = find_agent()
    if actor is None:
        raise RuntimeError("current_agent() in a view without login_required")
    return actor


def login_required(view: View[P]) -> View[P]:
    """Lets signed-in agents in and sends others to sign-in, which brings them back here.

    A script gets 401 instead of a page. A page's fragment survives: browsers carry it along redirects.
    """

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if find_agent() is not None:
            return view(*args, **kwargs)
        if _is_script():
            abort(401)
        target = keep_draft(_who_was_here())
        return redirect(url_for("auth.sign_in", next=None if target == "/" else target), 303)

    return guarded


def admin_required(view: View[P]) -> View[P]:
    """As login_required; for agents who are not admins the page does not exist."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if not current_agent().is_admin:
            raise NotFound("There is nothing here for you.")
        return view(*args, **kwargs)

    return login_required(guarded)


def _load_agent() -> Actor | None:
    return held(_SignIn).who()


def _who_was_here() -> str:
    """Whose session this request came with, when it is over; or who has given a password in another window meanwhile,
    and no code yet."""
    found = core().sessions.lost() or core().sessions.current()
    return found.subject if found is not None else ""


def _is_script() -> bool:
    return request.is_json or "HX-Request" in request.headers or request.headers.get("Sec-Fetch-Dest") == "empty"
