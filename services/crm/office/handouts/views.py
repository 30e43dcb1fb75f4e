"""Pages of the handouts: the admin's form, and the Quick Sheet for everybody."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from chassis.web.downloads import download
from chassis.web.tripwire import says_of_file_names
from services.crm.core.forms import attempt
from services.crm.core.web import admin_required, current_agent, login_required
from services.crm.office.handouts.forms import HandoutForm
from services.crm.office.parts import office
from services.crm.trips.documents.rules import MAX_BYTES

blueprint = Blueprint("handouts", __name__, template_folder="templates", url_prefix="/handouts")


@blueprint.route("", methods=["GET", "POST"])
@admin_required
@says_of_file_names
def show() -> ResponseReturnValue:
    """C20: where the community is, and the Quick Sheet."""
    actor, desk = current_agent(), office().handouts
    shown = desk.of(actor)
    form = HandoutForm(data={"community_url": shown.community_url})
    if form.validate_on_submit():
        upload = request.files.get("sheet")
        content = upload.stream.read(MAX_BYTES + 1) if upload else b""

        def change() -> bool:
            desk.change(actor, community_url=form.community, sheet=content)
            return True

        if attempt(form, change):
            flash("Saved. Your agents find it in Training.", "done")
            return redirect(url_for("handouts.show"), 303)
    return render_template("handouts/show.html", form=form, shown=shown), 422 if form.errors else 200


@blueprint.post("/quick-sheet/remove")
@admin_required
def remove_sheet() -> ResponseReturnValue:
    """Takes the Quick Sheet away."""
    office().handouts.remove_sheet(current_agent())
    flash("The Quick Sheet is taken away.", "done")
    return redirect(url_for("handouts.show"), 303)


@blueprint.get("/quick-sheet.pdf")
@login_required
def quick_sheet() -> ResponseReturnValue:
    """The Quick Sheet of the agent's agency."""
    content = office().handouts.sheet(current_agent())
    return download(content, content_type="application/pdf", name="Quick Sheet.pdf")
