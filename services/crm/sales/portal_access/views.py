"""Pages of portal access: the panel on the client's profile, the invitation form, resend and withdraw."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from chassis.errors import PermissionDenied
from services.crm.core.actor import Actor
from services.crm.core.forms import attempt, do_and_say, shown_issue
from services.crm.core.panels import Panel
from services.crm.core.web import current_agent, login_required
from services.crm.sales.clients.service import ClientDetail
from services.crm.sales.parts import sales
from services.crm.sales.portal_access.forms import InviteForm

blueprint = Blueprint(
    "portal_access", __name__, template_folder="templates", url_prefix="/clients/<id:client_id>/portal-access"
)


def client_panel(actor: Actor, client: ClientDetail) -> Panel:
    """The place on the client's profile."""
    access = sales().portal_access.of(actor, client.id)
    return Panel(
        template="portal_access/panel.html",
        data={"access": access, "client": client, "own": actor.owns(client.agent_id)},
    )


@blueprint.route("", methods=["GET", "POST"])
@login_required
def invite(client_id: str) -> ResponseReturnValue:
    """Gives a username, or another one, and mails the invitation."""
    actor = current_agent()
    client = sales().clients.get(actor, client_id)
    if not actor.owns(client.agent_id):
        raise PermissionDenied("Only the client's own agent can invite them to the portal.")
    access = sales().portal_access.of(actor, client_id)
    form = InviteForm(data={"username": access.username if access else sales().portal_access.suggestion(client)})
    if form.validate_on_submit():
        invited = attempt(form, lambda: sales().portal_access.invite(actor, client_id, form.username.data or ""))
        if invited is not None:
            flash(f"The invitation is on its way to {invited.email}.", "done")
            return redirect(_profile(client_id), 303)
    page = render_template("portal_access/invite.html", form=form, client=client, access=access)
    return page, 422 if form.errors else 200


@blueprint.post("/resend")
@login_required
def resend(client_id: str) -> ResponseReturnValue:
    """A fresh link under the same username."""
    do_and_say(
        lambda: sales().portal_access.resend(current_agent(), client_id, issue=shown_issue()),
        lambda access: f"A fresh link is on its way to {access.email}. The older one no longer works.",
    )
    return redirect(_profile(client_id), 303)


@blueprint.post("/withdraw")
@login_required
def withdraw(client_id: str) -> ResponseReturnValue:
    """Closes the portal to the client."""
    access = sales().portal_access.withdraw(current_agent(), client_id)
    flash(f"{access.username} can no longer sign in.", "done")
    return redirect(_profile(client_id), 303)


def _profile(client_id: str) -> str:
    return url_for("clients.show", client_id=client_id, _anchor="portal-access")
