"""Pages of registering: the form, the mailed link, and what has become of it."""

import structlog
from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from chassis.errors import InvalidArgument, NotFound
from chassis.ids import new_link_token
from chassis.web.link_repair import link_token
from services.portal.looks import dress_as, public_agent
from services.portal.nav import home_url
from services.portal.parts import portal
from services.portal.registrations.forms import ProofForm, RegistrationForm
from services.portal.registrations.rules import MAILS_PER_HOUR, REGISTRATIONS_PER_HOUR, RegistrationState

blueprint = Blueprint("registrations", __name__, template_folder="templates")
log = structlog.get_logger("portal.registrations")

_TOO_MANY = (
    "Several registrations came from your connection, or for this address, within an hour, so we let it rest. What you "
    "typed is still here: send it again later, or call."
)
_AGAIN = "The two passwords differ. Type the same one twice."
# How often the page looks whether the CRM has answered, without a script.
_LOOKS_AGAIN_SECONDS = "2"


@blueprint.route("/a/<name>/register", methods=["GET", "POST"])
def register(name: str) -> ResponseReturnValue:
    """Who one is, and how to reach one. The answer is the same whoever's the address is."""
    agent = public_agent(name)
    if request.method == "GET" and name != agent.slug:
        return redirect(url_for("registrations.register", name=agent.slug), 302)
    form, status = RegistrationForm(), 200
    if form.validate_on_submit():
        if form.website.data:
            log.info("registration.machine_refused", agent_id=agent.agent_id)
            return redirect(url_for("registrations.sent", name=agent.slug), 303)
        visitor, to = request.remote_addr or "", form.email.data or ""
        if portal().throttle.allows_mail(
            "registration", visitor, to, most=REGISTRATIONS_PER_HOUR, mails=MAILS_PER_HOUR
        ):
            key = form.request_key.data or new_link_token()
            portal().registrations.register(agent, form.registrant(), request_key=key)
            return redirect(url_for("registrations.sent", name=agent.slug), 303)
        form.refuse("", _TOO_MANY)
        status = 429
    elif form.errors:
        status = 422
    if not form.request_key.data:
        form.request_key.data = new_link_token()
    return render_template("registrations/register.html", agent=agent, form=form), status


@blueprint.get("/a/<name>/register/sent")
def sent(name: str) -> ResponseReturnValue:
    """What happens next, in words that hold for everybody."""
    return render_template("registrations/sent.html", agent=public_agent(name))


@blueprint.route("/registration", methods=["GET", "POST"])
def prove() -> ResponseReturnValue:
    """Where the mailed link leads. The token stands after `#`; the page's script puts it on the form when the button is
    pressed, so looking at the page, as mail scanners do, changes nothing."""
    form = ProofForm()
    if form.validate_on_submit():
        if form.password.data != form.again.data:
            form.refuse("again", _AGAIN)
        else:
            try:
                proven = portal().registrations.prove(link_token(form.token.data or ""), form.password.data or "")
            except InvalidArgument as error:
                form.refuse(error.field, error.message)
            except NotFound as error:
                form.refuse("", error.message)
            else:
                log.info("registration.proven", registration_id=proven)
                portal().access.grant(proven)
                return redirect(url_for("registrations.show", registration_id=proven), 303)
    return render_template("registrations/prove.html", form=form), 422 if form.errors else 200


@blueprint.get("/registration/<registration_id>")
def show(registration_id: str) -> ResponseReturnValue:
    """What has become of it, for the browser that proved the address. Who is admitted is signed in: the mailed link and
    the password were the proof."""
    found = portal().registrations.find(registration_id)
    agent = portal().agents.agent(found.agent_id) if found is not None else None
    if found is None or agent is None:
        abort(404)
    if not portal().access.holds(registration_id):
        return redirect(url_for("account.sign_in"), 303)
    dress_as(agent)
    if found.state is RegistrationState.ADMITTED:
        client_id = portal().accounts.id_of(found.username)
        if client_id:
            portal().accounts.sessions.start(client_id, {"kind": "client"})
            log.info("registration.signed_in", client_id=client_id)
            flash(f"You are registered and signed in. Your username is {found.username}.", "done")
            return redirect(home_url(), 303)
    answer = make_response(render_template("registrations/show.html", registration=found, agent=agent))
    if found.state is RegistrationState.PROVEN:
        answer.headers["Refresh"] = _LOOKS_AGAIN_SECONDS
    return answer
