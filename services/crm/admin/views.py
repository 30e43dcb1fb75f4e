"""Pages for admins: the agency's name, colour and policies; its agents."""

import structlog
from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from services.crm.admin.forms import AgencyForm, AgentForm
from services.crm.forms import attempt, shallow
from services.crm.web import admin_required, current_agent, dependencies

blueprint = Blueprint("admin", __name__, template_folder="templates", url_prefix="/agency")
log = structlog.get_logger("crm.admin")


@blueprint.route("", methods=["GET", "POST"])
@admin_required
def agency() -> ResponseReturnValue:
    """Name, colour and policies, and the agents beneath."""
    actor, directory = current_agent(), dependencies().directory
    shown = directory.agency(actor.agency_id)
    form = AgencyForm(data={**shallow(shown.data), "version": shown.version})
    if form.validate_on_submit():
        version = form.version.data or 0
        if attempt(form, lambda: directory.change_agency(actor, form.entered(), version=version)) is not None:
            log.info("admin.agency_changed", agency_id=actor.agency_id, by=actor.agent_id)
            flash("The agency is saved.", "done")
            return redirect(url_for("admin.agency"), 303)
    agents = directory.agents(actor)
    return render_template("admin/agency.html", form=form, agents=agents), 422 if form.errors else 200


@blueprint.route("/agents/new", methods=["GET", "POST"])
@admin_required
def new_agent() -> ResponseReturnValue:
    """Creates an agent and shows her invitation link, once."""
    actor, deps = current_agent(), dependencies()
    form = AgentForm(data={"time_zone": deps.directory.agency(actor.agency_id).data.time_zone, "active": True})
    if form.validate_on_submit():
        agent = attempt(form, lambda: deps.directory.create_agent(actor.agency_id, form.entered()))
        if agent is not None:
            log.info("admin.agent_created", agent_id=agent.id, by=actor.agent_id)
            return _show_invitation(agent.id)
    return render_template("admin/agent.html", form=form, agent=None), 422 if form.errors else 200


@blueprint.route("/agents/<id:agent_id>", methods=["GET", "POST"])
@admin_required
def agent(agent_id: str) -> ResponseReturnValue:
    actor, directory = current_agent(), dependencies().directory
    shown = directory.colleague(actor, agent_id)
    form = AgentForm(data={**shallow(shown.data), "role": shown.data.role.value, "version": shown.version})
    # The vault mails codes to the enrolled address only, so an operator changes both together (O11).
    form.email.data = shown.email
    if form.validate_on_submit():
        version = form.version.data or 0
        saved = attempt(form, lambda: directory.change_agent(actor, agent_id, form.entered(), version=version))
        if saved is not None:
            log.info("admin.agent_changed", agent_id=agent_id, by=actor.agent_id)
            if not saved.data.active:
                dependencies().sessions.end_all(agent_id)
            flash(f"{saved.name} is saved.", "done")
            return redirect(url_for("admin.agency"), 303)
    return render_template("admin/agent.html", form=form, agent=shown), 422 if form.errors else 200


@blueprint.post("/agents/<id:agent_id>/invite")
@admin_required
def invite(agent_id: str) -> ResponseReturnValue:
    """A fresh invitation link: for a new agent, or one who lost her password."""
    dependencies().directory.colleague(current_agent(), agent_id)
    return _show_invitation(agent_id)


@blueprint.post("/agents/<id:agent_id>/reset-authenticator")
@admin_required
def reset_authenticator(agent_id: str) -> ResponseReturnValue:
    """For a lost phone: all her sessions end, and she sets up a new authenticator at her next sign-in."""
    actor, deps = current_agent(), dependencies()
    shown = deps.directory.colleague(actor, agent_id)
    deps.sign_in.reset_authenticator(agent_id)
    deps.sessions.end_all(agent_id)
    log.info("admin.authenticator_reset", agent_id=agent_id, by=actor.agent_id)
    flash(f"{shown.name} sets up a new authenticator at the next sign-in.", "done")
    return redirect(url_for("admin.agency"), 303)


def _show_invitation(agent_id: str) -> ResponseReturnValue:
    deps = dependencies()
    shown = deps.directory.colleague(current_agent(), agent_id)
    link = f"{deps.settings.public_url}{url_for('auth.invitation')}#{deps.sign_in.invite(agent_id)}"
    log.info("admin.agent_invited", agent_id=agent_id, by=current_agent().agent_id)
    return render_template("admin/invitation.html", agent=shown, link=link)
