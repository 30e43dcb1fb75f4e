"""Pages of a merge: pick the other profile, see field by field what would win, do it."""

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms.validators import Optional
from wtforms.widgets import HiddenInput

from chassis.web.forms import Form, IntegerField
from services.crm.core.actor import Actor
from services.crm.core.addresses import typed_text
from services.crm.core.forms import attempt
from services.crm.core.panels import Panel
from services.crm.core.web import current_agent, login_required
from services.crm.sales.clients.service import ClientDetail
from services.crm.sales.merging.rules import Choice, Side, counted
from services.crm.sales.parts import sales

blueprint = Blueprint("merging", __name__, template_folder="templates", url_prefix="/clients")


class MergeForm(Form):
    """The versions that the preview showed; the sides are radio buttons named after their fields."""

    kept_version = IntegerField(widget=HiddenInput(), default=0, validators=[Optional()])
    other_version = IntegerField(widget=HiddenInput(), default=0, validators=[Optional()])


@blueprint.get("/merge")
@login_required
def start() -> ResponseReturnValue:
    """C21: the first of the two profiles, for those who come to merge rather than from a client."""
    actor, text = current_agent(), typed_text()
    found = [each for each in sales().clients.search(actor, text) if actor.owns(each.agent_id)]
    return render_template("merging/start.html", found=found, text=text)


@blueprint.get("/<id:client_id>/merge")
@login_required
def pick(client_id: str) -> ResponseReturnValue:
    """Who is the same person?"""
    actor, text = current_agent(), typed_text()
    client = sales().clients.get_own(actor, client_id)
    found = sales().merges.candidates(actor, client_id, text)
    return render_template("merging/pick.html", client=client, found=found, text=text)


@blueprint.route("/<id:client_id>/merge/<id:other_id>", methods=["GET", "POST"])
@login_required
def preview(client_id: str, other_id: str) -> ResponseReturnValue:
    """The preview; a POST merges. What the first address names stays, the other leads to it from then on."""
    actor, merges = current_agent(), sales().merges
    shown = merges.preview(actor, client_id, other_id)
    form = MergeForm()
    chosen = {choice.field: _side(choice, request.form) for choice in shown.choices}
    if form.validate_on_submit():
        versions = (form.kept_version.data or 0, form.other_version.data or 0)
        saved = attempt(form, lambda: merges.merge(actor, client_id, other_id, chosen, versions=versions))
        if saved is not None:
            flash(f"The two profiles are one now. The old address of {shown.other.name} leads here.", "done")
            return redirect(url_for("clients.show", client_id=saved.id), 303)
    form.kept_version.raw_data = form.other_version.raw_data = None
    form.kept_version.data, form.other_version.data = shown.kept.version, shown.other.version
    page = render_template("merging/preview.html", shown=shown, form=form, chosen=chosen, counted=counted)
    return page, 422 if form.errors else 200


def history_panel(actor: Actor, client: ClientDetail) -> Panel | None:
    """Who merged what into a profile, on its page; nothing for most."""
    records = sales().merges.history(actor, client.id)
    return Panel(template="merging/history.html", data={"records": records, "counted": counted}) if records else None


def _side(choice: Choice, typed: Mapping[str, str]) -> Side:
    side = typed.get(f"side-{choice.field}", "")
    return Side(side) if side in list(Side) else choice.suggested
