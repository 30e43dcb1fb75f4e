"""Pages of a client's family and occasions, and of what the client changed themselves."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from chassis.errors import NotFound
from services.crm.core.forms import attempt, shallow
from services.crm.core.web import current_agent, login_required
from services.crm.sales.clients.household_forms import KIND_WORDS, FamilyForm, OccasionForm
from services.crm.sales.clients.rules import Occasion
from services.crm.sales.parts import sales

blueprint = Blueprint("household", __name__, template_folder="templates", url_prefix="/clients")


@blueprint.route("/<id:client_id>/family/new", methods=["GET", "POST"])
@login_required
def new_member(client_id: str) -> ResponseReturnValue:
    return _member_page(client_id, "")


@blueprint.route("/<id:client_id>/family/<id:member_id>", methods=["GET", "POST"])
@login_required
def edit_member(client_id: str, member_id: str) -> ResponseReturnValue:
    return _member_page(client_id, member_id)


@blueprint.post("/<id:client_id>/family/<id:member_id>/remove")
@login_required
def remove_member(client_id: str, member_id: str) -> ResponseReturnValue:
    name = sales().profiles.remove_member(current_agent(), client_id, member_id)
    flash(f"{name} is taken off the family.", "done")
    return redirect(url_for("clients.show", client_id=client_id, _anchor="family"), 303)


@blueprint.route("/<id:client_id>/occasions/new", methods=["GET", "POST"])
@login_required
def new_occasion(client_id: str) -> ResponseReturnValue:
    return _occasion_page(client_id, "")


@blueprint.route("/<id:client_id>/occasions/<id:occasion_id>", methods=["GET", "POST"])
@login_required
def edit_occasion(client_id: str, occasion_id: str) -> ResponseReturnValue:
    return _occasion_page(client_id, occasion_id)


@blueprint.post("/<id:client_id>/occasions/<id:occasion_id>/remove")
@login_required
def remove_occasion(client_id: str, occasion_id: str) -> ResponseReturnValue:
    label = sales().profiles.remove_occasion(current_agent(), client_id, occasion_id)
    flash(f"{label} is removed.", "done")
    return redirect(url_for("clients.show", client_id=client_id, _anchor="occasions"), 303)


@blueprint.post("/<id:client_id>/changes/seen")
@login_required
def take_note(client_id: str) -> ResponseReturnValue:
    """The agent has seen what the client changed in the portal."""
    sales().profiles.take_note(current_agent(), client_id)
    return redirect(url_for("clients.show", client_id=client_id), 303)


def _member_page(client_id: str, member_id: str) -> ResponseReturnValue:
    actor = current_agent()
    client = sales().clients.get_own(actor, client_id)
    family = sales().profiles.household(actor, client_id).family
    member = next((each for each in family if each.id == member_id), None)
    if member_id and member is None:
        raise NotFound("There is no such family member.")
    values = shallow(member) | {"relation": member.relation.value} if member else {"last_name": client.data.last_name}
    form = FamilyForm(data=values)
    if form.validate_on_submit():
        saved = attempt(form, lambda: sales().profiles.save_member(actor, client_id, form.entered(member_id)))
        if saved is not None:
            flash(f"{saved.name} is saved.", "done")
            return redirect(url_for("clients.show", client_id=client_id, _anchor="family"), 303)
    page = render_template("clients/family.html", form=form, client=client, member=member)
    return page, 422 if form.errors else 200


def _occasion_page(client_id: str, occasion_id: str) -> ResponseReturnValue:
    actor = current_agent()
    client = sales().clients.get_own(actor, client_id)
    occasions = sales().profiles.household(actor, client_id).occasions
    occasion = next((each for each in occasions if each.id == occasion_id), None)
    if occasion_id and occasion is None:
        raise NotFound("There is no such occasion.")
    form = OccasionForm(data=_values(occasion) if occasion else {})
    if form.validate_on_submit():
        saved = attempt(form, lambda: sales().profiles.save_occasion(actor, client_id, form.entered(occasion_id)))
        if saved is not None:
            flash(f"{saved.label} is saved.", "done")
            return redirect(url_for("clients.show", client_id=client_id, _anchor="occasions"), 303)
    page = render_template("clients/occasion.html", form=form, client=client, occasion=occasion)
    return page, 422 if form.errors else 200


def _values(occasion: Occasion) -> dict[str, object]:
    return {
        "kind": occasion.kind.value,
        "label": "" if occasion.label == KIND_WORDS[occasion.kind] else occasion.label,
        "day": occasion.first_on.day,
        "month": str(occasion.first_on.month),
        "year": occasion.first_on.year if occasion.year_known else None,
    }
