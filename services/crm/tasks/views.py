"""Tasks: added on the client's page, done and undone there and on the dashboard."""

from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from chassis.web.forms import DateField, Form, Length, Optional, StringField, required
from services.crm.actor import Actor
from services.crm.clients.service import ClientDetail
from services.crm.forms import attempt
from services.crm.panels import Panel
from services.crm.tasks.service import LONGEST_TITLE
from services.crm.web import current_agent, dependencies, login_required

blueprint = Blueprint("tasks", __name__, template_folder="templates")

# Where a button was pressed, and where one is sent back to: never an address from the request.
_DASHBOARD = "dashboard"


class TaskForm(Form):
    """What is to be done, and by when."""

    title = StringField("What is to be done", [required("Say what is to be done."), Length(max=LONGEST_TITLE)])
    due_on = DateField("By when", [Optional()])


@blueprint.post("/clients/<id:client_id>/tasks")
@login_required
def add(client_id: str) -> ResponseReturnValue:
    actor, deps = current_agent(), dependencies()
    client, form = deps.clients.get_own(actor, client_id), TaskForm()
    if form.validate_on_submit():
        task = attempt(form, lambda: deps.tasks.add(actor, client_id, form.title.data or "", form.due_on.data))
        if task is not None:
            return redirect(url_for("clients.show", client_id=client_id, _anchor="tasks"), 303)
    return render_template("tasks/add.html", form=form, client=client), 422


@blueprint.post("/tasks/<id:task_id>/done")
@login_required
def done(task_id: str) -> ResponseReturnValue:
    task = dependencies().tasks.done(current_agent(), task_id)
    flash(f"Done: {task.title}", "done")
    return redirect(_back(task.client_id), 303)


@blueprint.post("/tasks/<id:task_id>/undo")
@login_required
def undo(task_id: str) -> ResponseReturnValue:
    task = dependencies().tasks.undo(current_agent(), task_id)
    return redirect(_back(task.client_id), 303)


def _back(client_id: str) -> str:
    if request.form.get("from") == _DASHBOARD:
        return url_for("dashboard.show")
    return url_for("clients.show", client_id=client_id, _anchor="tasks")


def client_panel(actor: Actor, client: ClientDetail) -> Panel:
    """The tasks part of a client's page."""
    deps = dependencies()
    still_open, done_lately = deps.tasks.of_client(actor, client.id)
    data = {
        "open": still_open,
        "done": done_lately,
        "client": client,
        "own": actor.owns(client.agent_id),
        "today": deps.clock.now().astimezone(ZoneInfo(actor.time_zone)).date(),
        "form": TaskForm(formdata=None),
    }
    return Panel(template="tasks/client_panel.html", data=data)
