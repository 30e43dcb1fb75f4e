"""Pages of clients' sign-in: sign-in, the link on which a password is chosen, forgotten password, own sessions."""

import structlog
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from chassis.errors import InvalidArgument, NotFound
from chassis.web.devices import describe_device
from chassis.web.known_devices import known_devices
from chassis.web.link_repair import link_token
from chassis.web.redirects import local_path
from services.portal.account.forms import ChangePasswordForm, ChoosePasswordForm, ForgottenForm, SignInForm
from services.portal.account.service import Accepted, PresentClient
from services.portal.nav import home_url
from services.portal.parts import portal
from services.portal.web import client_required, current_client, find_client

blueprint = Blueprint("account", __name__, template_folder="templates")
log = structlog.get_logger("portal.account")

_NO_MATCH = "This username and password don't match. Check both and try again."
_LOCKED = (
    "There were too many tries with this username. To keep it safe, signing in with it rests for 30 minutes; nothing "
    "is lost. Please try again after that, or use a browser in which you have signed in before."
)
_TOO_MANY = (
    "Many such requests came from your connection within an hour, so we let it rest. Try again later, or call your "
    "agent: they can send you a new link."
)
_AGAIN = "The two passwords differ. Type the same one twice."


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    """Username and password. A good one starts a new session with a new token."""
    if request.method == "GET" and find_client() is not None:
        return redirect(_destination(), 303)
    form = SignInForm()
    status = 200
    if form.validate_on_submit():
        username = form.username.data or ""
        outcome = portal().accounts.check_password(
            username, form.password.data or "", known_devices().visitor(username)
        )
        if isinstance(outcome, Accepted):
            portal().accounts.sessions.start(outcome.client_id, {"kind": "client"})
            known_devices().remember(username)
            log.info("account.signed_in", client_id=outcome.client_id)
            return redirect(_destination(), 303)
        form.refuse("", _LOCKED if outcome.locked else _NO_MATCH)
        status = 429 if outcome.locked else 422
    elif form.errors:
        status = 422
    timed_out = request.method == "GET" and portal().accounts.sessions.timed_out()
    return render_template("account/sign_in.html", form=form, next=_next(), timed_out=timed_out), status


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """Ends this browser's session in the database."""
    portal().accounts.sessions.end()
    flash("You are signed out.", "done")
    return redirect(url_for("account.sign_in"), 303)


@blueprint.route("/password", methods=["GET", "POST"])
def choose() -> ResponseReturnValue:
    """Where an invitation's or a reset's link leads. The token stands after `#`; the page's script puts it on the
    form when the button is pressed, so looking at the page changes nothing."""
    form = ChoosePasswordForm()
    if form.validate_on_submit():
        if form.password.data != form.again.data:
            form.refuse("again", _AGAIN)
        else:
            try:
                client_id = portal().accounts.choose_password(
                    link_token(form.token.data or ""), form.password.data or ""
                )
            except InvalidArgument as error:
                form.refuse(error.field, error.message)
            except NotFound as error:
                form.refuse("", error.message)
            else:
                # The mailed link was the proof; asking for the same password again would prove nothing more.
                portal().accounts.sessions.start(client_id, {"kind": "client"})
                log.info("account.password_chosen", client_id=client_id)
                flash("Your password is set, and you are signed in.", "done")
                return redirect(home_url(), 303)
    return render_template("account/choose.html", form=form), 422 if form.errors else 200


@blueprint.route("/forgotten", methods=["GET", "POST"])
def forgotten() -> ResponseReturnValue:
    """Asks for a new password. The answer is the same whoever's the username is."""
    form = ForgottenForm()
    if form.validate_on_submit():
        if portal().accounts.ask_for_reset(form.username.data or "", request.remote_addr or ""):
            return redirect(url_for("account.asked"), 303)
        form.refuse("", _TOO_MANY)
        return render_template("account/forgotten.html", form=form), 429
    return render_template("account/forgotten.html", form=form), 422 if form.errors else 200


@blueprint.get("/forgotten/sent")
def asked() -> ResponseReturnValue:
    """What happens next, in words that hold for everybody."""
    return render_template("account/asked.html")


@blueprint.route("/account", methods=["GET", "POST"])
@client_required
def show() -> ResponseReturnValue:
    """Own sessions, each with a button to end it, and a new password."""
    client, sessions = current_client(), portal().accounts.sessions
    form = ChangePasswordForm()
    here = sessions.current()
    if form.validate_on_submit():
        if form.password.data != form.again.data:
            form.refuse("again", _AGAIN)
        elif _changed(form, client):
            sessions.end_all(client.client_id, but=here.id if here else "")
            sessions.rotate()
            flash("Your password has been changed. All your other sessions have been ended.", "done")
            return redirect(url_for("account.show"), 303)
    rows = [
        {"session": item, "device": describe_device(item.user_agent), "here": here is not None and item.id == here.id}
        for item in sessions.list_for(client.client_id)
    ]
    page = render_template("account/show.html", form=form, rows=rows, client=client)
    return page, 422 if form.errors else 200


@blueprint.post("/account/sessions/<session_id>/end")
@client_required
def end_session(session_id: str) -> ResponseReturnValue:
    """Ends one of the client's own sessions."""
    if not portal().accounts.sessions.end_one(session_id[:40], subject=current_client().client_id):
        raise NotFound("That session has ended already, or it is not yours.")
    flash("That session has been ended.", "done")
    return redirect(url_for("account.show"), 303)


def _changed(form: ChangePasswordForm, client: PresentClient) -> bool:
    visitor = known_devices().visitor(client.username)
    try:
        portal().accounts.change_password(client.client_id, form.old.data or "", form.password.data or "", visitor)
    except InvalidArgument as error:
        form.refuse(error.field, error.message)
        return False
    return True


def _next() -> str | None:
    """The page that was asked for before sign-in, when it is one of ours."""
    return local_path(request.args.get("next"), default="") or None


def _destination() -> str:
    return _next() or home_url()
