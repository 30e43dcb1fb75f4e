"""Pages of signing in: password, authenticator, invitation, own sessions."""

from collections.abc import Callable

import segno
import structlog
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from chassis.errors import InvalidArgument, NotFound
from chassis.web.devices import describe_device
from chassis.web.known_devices import known_devices
from chassis.web.link_repair import link_token
from chassis.web.lockout import Visitor
from chassis.web.redirects import local_path
from chassis.web.sessions import WebSession
from services.crm.access.activity.service import Act
from services.crm.access.auth.forms import ChangePasswordForm, CodeStepForm, InvitationForm, PasswordStepForm
from services.crm.access.auth.rules import Stage
from services.crm.access.auth.service import Accepted, Rejected
from services.crm.access.parts import access
from services.crm.core.actor import Actor
from services.crm.core.origin import request_origin
from services.crm.core.parts import core
from services.crm.core.web import current_agent, find_agent, login_required

blueprint = Blueprint("auth", __name__, template_folder="templates")
log = structlog.get_logger("crm.auth")

_NO_MATCH = "This e-mail address and password don't match. Check both and try again."
_WRONG_CODE = "That code is not right, or it was used already. Wait for the next one and enter it."
_LOCKED = (
    "There were too many tries with this address. To keep it safe, signing in with it rests for 30 minutes; nothing "
    "is lost. Please try again after that, or use a browser in which you have signed in before."
)
_AGAIN = "The two passwords differ. Type the same one twice."


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    """The first step. The page's script puts the address's fragment on the form, so that it survives (`/cvv#token`)."""
    if request.method == "GET" and find_agent() is not None:
        return redirect(_destination(), 303)
    form = PasswordStepForm()
    if form.validate_on_submit():
        outcome = access().sign_in.check_password(
            form.email.data or "", form.password.data or "", known_devices().visitor(form.email.data or "")
        )
        if isinstance(outcome, Accepted):
            core().sessions.start(outcome.agent_id, {"stage": Stage.PASSWORD_GIVEN})
            step = "auth.authenticator" if outcome.authenticator_ready else "auth.set_up"
            return redirect(url_for(step, next=_next()), 303)
        return _refused(outcome, form, "auth/sign_in.html", field="", message=_NO_MATCH)
    timed_out = request.method == "GET" and core().sessions.timed_out()
    return render_template("auth/sign_in.html", form=form, next=_next(), timed_out=timed_out), _status(form)


@blueprint.route("/sign-in/code", methods=["GET", "POST"])
def authenticator() -> ResponseReturnValue:
    """The second step: the six digits of the app."""
    waiting = _half_signed_in()
    if waiting is None:
        return _start_over()
    form = CodeStepForm()
    if form.validate_on_submit():
        outcome = access().sign_in.check_code(waiting.subject, form.code.data or "", _visitor(waiting.subject))
        if isinstance(outcome, Accepted):
            return _complete(outcome)
        return _refused(outcome, form, "auth/authenticator.html", field="code", message=_WRONG_CODE)
    return render_template("auth/authenticator.html", form=form, next=_next()), _status(form)


@blueprint.route("/sign-in/set-up", methods=["GET", "POST"])
def set_up() -> ResponseReturnValue:
    """The authenticator's set-up at the first sign-in: a QR code, the same secret as text, a code to confirm it."""
    waiting = _half_signed_in()
    if waiting is None:
        return _start_over()
    try:
        pending = access().sign_in.set_up_authenticator(waiting.subject)
    except InvalidArgument:
        return redirect(url_for("auth.authenticator", next=_next()), 303)
    form = CodeStepForm()
    page: dict[str, object] = {
        "qr": segno.make(pending.uri, error="m").svg_data_uri(scale=5, border=3, light="white", dark="black"),
        "secret": " ".join(pending.secret[at : at + 4] for at in range(0, len(pending.secret), 4)),
    }
    if form.validate_on_submit():
        outcome = access().sign_in.confirm_authenticator(
            waiting.subject, form.code.data or "", _visitor(waiting.subject)
        )
        if isinstance(outcome, Accepted):
            return _complete(outcome)
        return _refused(outcome, form, "auth/set_up.html", field="code", message=_WRONG_CODE, **page)
    return render_template("auth/set_up.html", form=form, next=_next(), **page), _status(form)


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """Ends this browser's session in the database."""
    core().sessions.end()
    flash("You are signed out.", "done")
    return redirect(url_for("auth.sign_in"), 303)


@blueprint.route("/invitation", methods=["GET", "POST"])
def invitation() -> ResponseReturnValue:
    """Where an invited agent chooses their password. The token stands after `#`; the page's script moves it."""
    form = InvitationForm()
    if form.validate_on_submit():
        if form.password.data != form.again.data:
            form.refuse("again", _AGAIN)
        else:
            try:
                agent = access().sign_in.accept_invitation(link_token(form.token.data or ""), form.password.data or "")
            except InvalidArgument as error:
                form.refuse(error.field, error.message)
            except NotFound as error:
                form.refuse("", error.message)
            else:
                log.info("auth.invitation_accepted", agent_id=agent.id)
                flash("Your password is set. Sign in with it now.", "done")
                return redirect(url_for("auth.sign_in"), 303)
    return render_template("auth/invitation.html", form=form), _status(form)


@blueprint.route("/account", methods=["GET", "POST"])
@login_required
def account() -> ResponseReturnValue:
    """Own sessions, each with a button to end it, and a new password."""
    actor = current_agent()
    form = ChangePasswordForm()
    if form.validate_on_submit():
        here = core().sessions.current()
        if form.new.data != form.again.data:
            form.refuse("again", _AGAIN)
        elif _accepts(
            form,
            lambda: access().sign_in.change_password(
                actor.agent_id, form.old.data or "", form.new.data or "", _visitor(actor.agent_id)
            ),
        ):
            core().sessions.end_all(actor.agent_id, but=here.id if here else "")
            flash("Your password has been changed. All your other sessions have been ended.", "done")
            return redirect(url_for("auth.account"), 303)
    return _account_page(form)


@blueprint.post("/account/sessions/<session_id>/end")
@login_required
def end_session(session_id: str) -> ResponseReturnValue:
    """Ends one of the agent's own sessions."""
    if not core().sessions.end_one(session_id, subject=current_agent().agent_id):
        raise NotFound("That session has ended already, or it is not yours.")
    flash("That session has been ended.", "done")
    return redirect(url_for("auth.account"), 303)


def _account_page(form: ChangePasswordForm) -> ResponseReturnValue:
    sessions = core().sessions
    here = sessions.current()
    rows = [
        {"session": item, "device": describe_device(item.user_agent), "here": here is not None and item.id == here.id}
        for item in sessions.list_for(current_agent().agent_id)
        if item.data.get("stage") == Stage.SIGNED_IN
    ]
    return render_template("auth/account.html", form=form, rows=rows), _status(form)


def _accepts(form: ChangePasswordForm, act: Callable[[], None]) -> bool:
    try:
        act()
    except InvalidArgument as error:
        form.refuse("new" if error.field == "password" else error.field, error.message)
        return False
    return True


def _complete(outcome: Accepted) -> ResponseReturnValue:
    """A new session with a new token takes the place of the half-signed-in one (ASVS 5.0 7.2.4)."""
    target = _destination()
    core().sessions.start(outcome.agent_id, {"stage": Stage.SIGNED_IN})
    known_devices().remember(access().directory.agent(outcome.agent_id).email)
    log.info("auth.signed_in", agent_id=outcome.agent_id)
    if (actor := access().directory.actor(outcome.agent_id)) is not None:
        access().activities.note(actor, Act.SIGNED_IN, "", request_origin())
    return redirect(target, 303)


def _refused(
    outcome: Rejected, form: PasswordStepForm | CodeStepForm, template: str, *, field: str, message: str, **page: object
) -> ResponseReturnValue:
    form.refuse("" if outcome.locked else field, _LOCKED if outcome.locked else message)
    status = 429 if outcome.locked else 422
    return render_template(template, form=form, next=_next(), timed_out=False, **page), status


def signed_in_agent() -> Actor | None:
    """The agent of this request, by a session that has passed both steps."""
    session = core().sessions.current()
    if session is None or session.data.get("stage") != Stage.SIGNED_IN:
        return None
    return access().directory.actor(session.subject)


def _visitor(agent_id: str) -> Visitor:
    return known_devices().visitor(access().directory.agent(agent_id).email)


def _half_signed_in() -> WebSession | None:
    session = core().sessions.current()
    return session if session and session.data.get("stage") == Stage.PASSWORD_GIVEN else None


def _start_over() -> ResponseReturnValue:
    if find_agent() is not None:
        return redirect(_destination(), 303)
    return redirect(url_for("auth.sign_in", next=_next()), 303)


def _next() -> str | None:
    """The page that was asked for before sign-in, when it is one of ours."""
    return local_path(request.args.get("next"), default="") or None


def _destination() -> str:
    return _next() or url_for("dashboard.show")


def _status(form: PasswordStepForm | CodeStepForm | InvitationForm | ChangePasswordForm) -> int:
    return 422 if form.errors else 200
