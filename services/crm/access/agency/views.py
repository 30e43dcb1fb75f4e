"""Pages for admins: the agency's name, colour and policies; its agents."""

import structlog
from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from chassis.errors import NotFound
from chassis.web.forms import Form
from chassis.web.tripwire import says_of_file_names
from services.crm.access.activity.service import Act
from services.crm.access.agency.forms import AgencyForm, AgentForm, LogoForm, ProfileForm
from services.crm.access.agency.logo import MOST_UPLOADED, read_logo
from services.crm.access.agency.rules import AgencyData, AgentData, AgentDetail
from services.crm.access.enrolment.rules import enrol_command
from services.crm.access.parts import access
from services.crm.core.forms import attempt, shallow
from services.crm.core.origin import request_origin
from services.crm.core.parts import core
from services.crm.core.qr import qr_code
from services.crm.core.web import admin_required, current_agent, login_required

blueprint = Blueprint("agency", __name__, template_folder="templates", url_prefix="/agency")
log = structlog.get_logger("crm.agency")

# Where the document templates are kept (C8).
_TEMPLATES = "esign.library"
# A logo's address carries its hash, so it never changes; nothing in a picture may run.
LOGO_HEADERS = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'",
}


@blueprint.route("", methods=["GET", "POST"])
@admin_required
def show() -> ResponseReturnValue:
    """Name, colour and policies, and the agents beneath."""
    actor, directory = current_agent(), access().directory
    shown = directory.agency(actor.agency_id)
    form = AgencyForm(data={**shallow(shown.data), "version": shown.version})
    if form.validate_on_submit():
        version = form.version.data or 0
        if attempt(form, lambda: directory.change_agency(actor, form.entered(), version=version)) is not None:
            log.info("agency.changed", agency_id=actor.agency_id, by=actor.agent_id)
            _note(Act.AGENCY_CHANGED, _changes(shown.data, form.entered(), form))
            flash("The agency is saved.", "done")
            return redirect(url_for("agency.show"), 303)
    return _agency_page(form=form), 422 if form.errors else 200


@blueprint.route("/profile", methods=["GET", "POST"])
@login_required
def profile() -> ResponseReturnValue:
    """An agent's own name, phone and time zone, and the address of their public page."""
    actor, directory = current_agent(), access().directory
    shown = directory.agent(actor.agent_id)
    form = ProfileForm(data={**shallow(shown.data), "version": shown.version})
    if form.validate_on_submit():
        entered = form.entered(shown.data)
        if attempt(form, lambda: directory.change_self(actor, entered, version=form.version.data or 0)) is not None:
            log.info("agency.profile_changed", agent_id=actor.agent_id)
            _note(Act.PROFILE_CHANGED, _changes(shown.data, entered, form))
            flash("Your profile is saved. Clients see it in the portal and in e-mails.", "done")
            return redirect(url_for("agency.profile"), 303)
    public_page = f"{core().settings.portal_url}/a/{shown.page_name}"
    page = render_template(
        "agency/profile.html", form=form, agent=shown, public_page=public_page, public_page_qr=qr_code(public_page)
    )
    return page, 422 if form.errors else 200


@blueprint.post("/logo")
@admin_required
@says_of_file_names
def change_logo() -> ResponseReturnValue:
    """Takes a picture as the agency's logo."""
    actor, directory = current_agent(), access().directory
    form = LogoForm()
    if form.validate_on_submit():
        upload = request.files.get("logo")
        content = upload.stream.read(MOST_UPLOADED + 1) if upload else b""
        if not content:
            form.refuse("logo", "Choose a picture first.")
        elif attempt(form, lambda: directory.change_logo(actor, read_logo(content))) is not None:
            _note(Act.LOGO_CHANGED)
            flash("This is your logo now. Clients see it in the portal and in e-mails.", "done")
            return redirect(url_for("agency.show", _anchor="look"), 303)
    return _agency_page(logo_form=form), 422


@blueprint.post("/logo/remove")
@admin_required
def remove_logo() -> ResponseReturnValue:
    """Takes the logo away: initials stand in its place."""
    access().directory.change_logo(current_agent(), None)
    _note(Act.LOGO_CHANGED, "taken away")
    flash("The logo is taken away. Your agency's initials stand in its place.", "done")
    return redirect(url_for("agency.show", _anchor="look"), 303)


@blueprint.get("/logo/<sha256>.png")
@login_required
def logo(sha256: str) -> ResponseReturnValue:
    """The agency's logo, for the CRM's own pages."""
    actor, directory = current_agent(), access().directory
    if directory.agency(actor.agency_id).logo_sha256 != sha256:
        raise NotFound("There is no such logo.")
    return Response(directory.logo(actor), mimetype="image/png", headers=LOGO_HEADERS)


@blueprint.route("/agents/new", methods=["GET", "POST"])
@admin_required
def new_agent() -> ResponseReturnValue:
    """Creates an agent and shows their invitation link, once."""
    actor = current_agent()
    form = AgentForm(data={"time_zone": access().directory.agency(actor.agency_id).data.time_zone, "active": True})
    if form.validate_on_submit():
        agent = attempt(form, lambda: access().directory.create_agent(actor.agency_id, form.entered()))
        if agent is not None:
            log.info("agency.agent_created", agent_id=agent.id, by=actor.agent_id)
            _note(Act.AGENT_ADDED, agent.name)
            return _show_invitation(agent.id)
    return render_template("agency/agent.html", form=form, agent=None), 422 if form.errors else 200


@blueprint.route("/agents/<id:agent_id>", methods=["GET", "POST"])
@admin_required
def agent(agent_id: str) -> ResponseReturnValue:
    actor, directory = current_agent(), access().directory
    shown = directory.colleague(actor, agent_id)
    form = AgentForm(data={**shallow(shown.data), "role": shown.data.role.value, "version": shown.version})
    # The vault mails codes to the enrolled address only, so an operator changes both together (O11).
    form.email.data = shown.email
    if form.validate_on_submit():
        version = form.version.data or 0
        saved = attempt(form, lambda: directory.change_agent(actor, agent_id, form.entered(), version=version))
        if saved is not None:
            log.info("agency.agent_changed", agent_id=agent_id, by=actor.agent_id)
            _note(Act.AGENT_CHANGED, f"{saved.name}: {_changes(shown.data, form.entered(), form)}")
            if not saved.data.active:
                core().sessions.end_all(agent_id)
            flash(f"{saved.name} is saved.", "done")
            return redirect(url_for("agency.show"), 303)
    enrolment = access().enrolments.of_agency(actor.agency_id, [shown])[shown.id]
    page = render_template(
        "agency/agent.html", form=form, agent=shown, enrolment=enrolment, command=_enrol_command(shown)
    )
    return page, 422 if form.errors else 200


@blueprint.post("/agents/<id:agent_id>/invite")
@admin_required
def invite(agent_id: str) -> ResponseReturnValue:
    """A fresh invitation link: for a new agent, or one who lost their password."""
    access().directory.colleague(current_agent(), agent_id)
    return _show_invitation(agent_id)


@blueprint.post("/agents/<id:agent_id>/reset-authenticator")
@admin_required
def reset_authenticator(agent_id: str) -> ResponseReturnValue:
    """For a lost phone: all their sessions end, and they set up a new authenticator at their next sign-in."""
    actor = current_agent()
    shown = access().directory.colleague(actor, agent_id)
    access().sign_in.reset_authenticator(agent_id)
    core().sessions.end_all(agent_id)
    log.info("agency.authenticator_reset", agent_id=agent_id, by=actor.agent_id)
    _note(Act.AUTHENTICATOR_RESET, shown.name)
    flash(f"{shown.name} sets up a new authenticator at the next sign-in.", "done")
    return redirect(url_for("agency.show"), 303)


def _show_invitation(agent_id: str) -> ResponseReturnValue:
    """Mails the link, and shows it for this once, for whoever would rather hand it over."""
    actor = current_agent()
    shown = access().directory.colleague(actor, agent_id)
    link = access().invitations.send(shown, invited_by=actor)
    log.info("agency.agent_invited", agent_id=agent_id, by=actor.agent_id)
    _note(Act.AGENT_INVITED, shown.name)
    enrolment = access().enrolments.of_agency(actor.agency_id, [shown])[shown.id]
    return render_template(
        "agency/invitation.html", agent=shown, link=link, enrolment=enrolment, command=_enrol_command(shown)
    )


def _enrol_command(agent: AgentDetail) -> str:
    return enrol_command(agent_id=agent.id, agency_id=agent.agency_id, name=agent.name, email=agent.email)


def _agency_page(*, form: AgencyForm | None = None, logo_form: LogoForm | None = None) -> str:
    actor, directory = current_agent(), access().directory
    shown = directory.agency(actor.agency_id)
    agents = directory.agents(actor)
    enrolments = access().enrolments.of_agency(actor.agency_id, agents)
    return render_template(
        "agency/agency.html",
        form=form or AgencyForm(formdata=None, data={**shallow(shown.data), "version": shown.version}),
        logo_form=logo_form or LogoForm(formdata=None),
        agency=shown,
        templates_url=url_for(_TEMPLATES) if _TEMPLATES in current_app.view_functions else "",
        agents=agents,
        enrolments=enrolments,
        missing=[agent_id for agent_id, found in enrolments.items() if not found.may_ask],
    )


def _note(act: Act, about: str = "") -> None:
    access().activities.note(current_agent(), act, about, request_origin())


def _changes(before: AgencyData | AgentData, after: AgencyData | AgentData, form: Form) -> str:
    """Which fields differ, for the trail, by the names that they have on the page: "Paper: a4 → us-letter"."""
    then, now = shallow(before), shallow(after)
    labels = {field.name: field.label.text for field in form}
    changed = (name for name in now if then[name] != now[name])
    said = (f"{labels.get(name, name)}: {_in_words(then[name])} → {_in_words(now[name])}" for name in changed)
    return ", ".join(said) or "nothing"


def _in_words(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "empty" if value in (None, "") else str(value)
