"""Pages of the first steps: the list, ticking, and the dashboard's place."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from chassis.errors import InvalidArgument
from services.crm.core.actor import Actor
from services.crm.core.panels import Panel
from services.crm.core.web import admin_required, current_agent
from services.crm.office.first_steps.rules import CLOSED
from services.crm.office.parts import office

blueprint = Blueprint("first_steps", __name__, template_folder="templates", url_prefix="/first-steps")


def dashboard_panel(actor: Actor) -> Panel | None:
    """Leads an admin on; nothing once they have closed the steps."""
    return Panel(template="first_steps/dashboard_panel.html", data={}) if office().first_steps.are_open(actor) else None


@blueprint.get("")
@admin_required
def show() -> ResponseReturnValue:
    """C20: what is done and what is left."""
    actor = current_agent()
    return render_template(
        "first_steps/show.html",
        todos=office().first_steps.todos(actor),
        are_open=office().first_steps.are_open(actor),
        closed=CLOSED,
    )


@blueprint.post("/tick")
@admin_required
def tick() -> ResponseReturnValue:
    """Says that a step is done, or closes them all."""
    step = request.form.get("step", "")[:20]
    try:
        office().first_steps.tick(current_agent(), step)
    except InvalidArgument as error:
        flash(error.message, "alert")
    if step == CLOSED:
        flash("The first steps are put away. They stay under Agency.", "done")
        return redirect(url_for("dashboard.show"), 303)
    return redirect(url_for("first_steps.show"), 303)
