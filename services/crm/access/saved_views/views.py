"""Pages of saved views: keeping one, its name, dropping it."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from services.crm.access.parts import access
from services.crm.access.saved_views.forms import ViewForm
from services.crm.access.saved_views.rules import LISTS, SavedList, SavedView
from services.crm.access.saved_views.state import state_of
from services.crm.core.forms import attempt
from services.crm.core.web import current_agent, login_required

blueprint = Blueprint("saved_views", __name__, template_folder="templates", url_prefix="/views")


@blueprint.route("/new", methods=["GET", "POST"])
@login_required
def new() -> ResponseReturnValue:
    """Keeps what a list shows; which list, and its state, stand in the address."""
    given = request.args.get("of", "")
    which = SavedList(given) if given in list(SavedList) else SavedList.CLIENTS
    state = state_of(which, request.args.get("state", ""))
    form = ViewForm()
    if form.validate_on_submit():
        saved = attempt(form, lambda: access().saved_views.save(current_agent(), which, form.name.data or "", state))
        if saved is not None:
            flash(f"“{saved.name}” is saved. You find it above the list.", "done")
            return redirect(_address(saved), 303)
    page = render_template("saved_views/edit.html", form=form, page=LISTS[which], back=_list(which, state), view=None)
    return page, 422 if form.errors else 200


@blueprint.route("/<id:view_id>", methods=["GET", "POST"])
@login_required
def edit(view_id: str) -> ResponseReturnValue:
    """Its name."""
    actor, views = current_agent(), access().saved_views
    view = views.get(actor, view_id)
    form = ViewForm(data={"name": view.name})
    if form.validate_on_submit():
        saved = attempt(form, lambda: views.rename(actor, view_id, form.name.data or ""))
        if saved is not None:
            flash(f"The view is called “{saved.name}” now.", "done")
            return redirect(_address(saved), 303)
    page = render_template("saved_views/edit.html", form=form, page=LISTS[view.of], back=_address(view), view=view)
    return page, 422 if form.errors else 200


@blueprint.post("/<id:view_id>/remove")
@login_required
def remove(view_id: str) -> ResponseReturnValue:
    gone = access().saved_views.remove(current_agent(), view_id)
    flash(f"“{gone.name}” is deleted. What it showed is still there.", "done")
    return redirect(_list(gone.of, gone.state), 303)


def _address(view: SavedView) -> str:
    return _list(view.of, view.state)


def _list(which: SavedList, state: str) -> str:
    path = url_for(LISTS[which].endpoint)
    return f"{path}?{state}" if state else path
