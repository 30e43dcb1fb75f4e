"""Tasks: added on the client's page, done and undone there, on the dashboard and in the list of all."""

from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms.validators import ValidationError

from chassis.web.formatting import plural
from chassis.web.forms import DateField, Form, Length, Optional, StringField, required
from services.crm.access.saved_views.pages import saved_bar
from services.crm.access.saved_views.service import SavedList
from services.crm.core.actor import Actor
from services.crm.core.addresses import page_number, same_list, typed_text, with_same_filter
from services.crm.core.bulk import all_ticked, back_to_list, carried_state, for_each, is_sure, list_state, picked
from services.crm.core.export import table_response
from services.crm.core.forms import attempt
from services.crm.core.headings import Headings, asked_order
from services.crm.core.panels import Panel
from services.crm.core.parts import core
from services.crm.core.web import current_agent, login_required
from services.crm.sales.clients.service import ClientDetail
from services.crm.sales.parts import sales
from services.crm.sales.tasks.service import (
    LONGEST_TITLE,
    TASK_KEYS,
    Task,
    TaskFilter,
    TaskSort,
    TaskState,
    usual_order,
)

blueprint = Blueprint("tasks", __name__, template_folder="templates")

# Where a button was pressed, and where one is sent back to: never an address from the request.
_DASHBOARD, _LIST = "dashboard", "list"
_UNDO = "undo"
_STATES = {TaskState.OPEN: "Open", TaskState.OVERDUE: "Overdue", TaskState.DONE: "Done"}
_CSV_HEADER = ("Task", "Client", "By when", "Done (UTC)")


class TaskForm(Form):
    """What is to be done, and by when."""

    title = StringField("What is to be done", [required("Say what is to be done."), Length(max=LONGEST_TITLE)])
    due_on = DateField("By when", [Optional()])


class ForWhomForm(TaskForm):
    """The same, from a page that is no client's. `found` is how many clients what was typed finds."""

    client = StringField("For whom", [required("Say for which client."), Length(max=100)])
    found = 0

    def validate_client(self, field: StringField) -> None:
        if field.data and not self.found:
            raise ValidationError("None of your clients is found by this. Write a part of the name, e-mail or phone.")


@blueprint.get("/tasks")
@login_required
def index() -> ResponseReturnValue:
    """All of an agent's own tasks; filter and page stay in the address."""
    actor, wanted = current_agent(), _filter()
    usual = usual_order(wanted.state)
    return render_template(
        "tasks/index.html",
        page=sales().tasks.list_page(actor, wanted, page_number()),
        just_done=sales().tasks.just_done(actor) if wanted.state is not TaskState.DONE and not wanted.text else [],
        wanted=wanted,
        sort=Headings(wanted.order or usual, TASK_KEYS, usual),
        states=_STATES,
        today=wanted.today,
        state=list_state(),
        all_ticked=all_ticked(),
        same_list=same_list,
        saved=saved_bar(SavedList.TASKS),
        csv_url=with_same_filter("tasks.export"),
    )


@blueprint.route("/tasks/new", methods=["GET", "POST"])
@login_required
def new() -> ResponseReturnValue:
    """A task from anywhere: for whom is found by what one knows of them."""
    actor, form = current_agent(), ForWhomForm()
    found: list[ClientDetail] = []
    if form.is_submitted():
        found = [each for each in sales().clients.search(actor, form.client.data or "") if actor.owns(each.agent_id)]
        form.found = len(found)
    if form.validate_on_submit():
        client_id = request.form.get("chosen", "") or (found[0].id if len(found) == 1 else "")
        if client_id:
            task = attempt(form, lambda: sales().tasks.add(actor, client_id, form.title.data or "", form.due_on.data))
            if task is not None:
                flash(f"“{task.title}” is on your list, for {task.client_name}.", "done")
                return redirect(_back(client_id), 303)
    asks = bool(form.errors) or len(found) > 1
    return render_template("tasks/new.html", form=form, found=found, source=_source()), 422 if asks else 200


@blueprint.get("/tasks/tasks.xlsx")
@blueprint.get("/tasks/tasks.csv")
@login_required
def export() -> ResponseReturnValue:
    """The list as the filter shows it."""
    rows = sales().tasks.export(current_agent(), _filter())
    values = ((task.title, task.client_name, task.due_on, task.done_at) for task in rows)
    return table_response("tasks", _CSV_HEADER, values)


@blueprint.post("/tasks/act")
@login_required
def act() -> ResponseReturnValue:
    """The ticked tasks are done, after a page that names them; or open again, which needs none."""
    actor, tasks, back = current_agent(), sales().tasks, back_to_list("tasks.index")
    chosen = tasks.some(actor, picked())
    if not chosen:
        flash("Tick at least one task first.", "alert")
        return redirect(back, 303)
    many, crumbs = plural(len(chosen), "task"), [("Tasks", url_for("tasks.index")), ("Several at once",)]
    if request.form.get("do") == _UNDO:
        told = for_each(chosen, _named, lambda task: tasks.undo(actor, task.id))
        title, undo = f"{many} taken up again", ""
    elif is_sure():
        told = for_each(chosen, _named, lambda task: tasks.done(actor, task.id))
        title, undo = f"{many} done", _UNDO
    else:
        return render_template(
            "crm/bulk_ask.html",
            title=f"Are {many} done?" if len(chosen) > 1 else "Is 1 task done?",
            crumbs=crumbs,
            detail="They leave the list of what is open. You can take that back.",
            action=url_for("tasks.act"),
            act="done",
            picks=[(task.id, task.title, task.client_name) for task in chosen],
            state=carried_state(),
            back=back,
            confirm=f"Mark {many} as done",
            danger=False,
            note="",
        )
    return render_template(
        "crm/bulk_told.html",
        title=title,
        crumbs=crumbs,
        told=told,
        action=url_for("tasks.act"),
        undo=undo,
        undo_picks=[each.result.id for each in told if each.result is not None],
        state=carried_state(),
        back=back,
        back_words="Back to the tasks",
    )


@blueprint.route("/tasks/<id:task_id>", methods=["GET", "POST"])
@login_required
def edit(task_id: str) -> ResponseReturnValue:
    actor, tasks = current_agent(), sales().tasks
    task = tasks.get_own(actor, task_id)
    form = TaskForm(data={"title": task.title, "due_on": task.due_on})
    if form.validate_on_submit():
        saved = attempt(form, lambda: tasks.change(actor, task_id, form.title.data or "", form.due_on.data))
        if saved is not None:
            flash(f"“{saved.title}” is saved.", "done")
            return redirect(_back(task.client_id), 303)
    return render_template("tasks/edit.html", form=form, task=task), 422 if form.errors else 200


@blueprint.post("/tasks/<id:task_id>/remove")
@login_required
def remove(task_id: str) -> ResponseReturnValue:
    task = sales().tasks.remove(current_agent(), task_id)
    flash(f"“{task.title}” is removed.", "done")
    return redirect(_back(task.client_id), 303)


@blueprint.post("/clients/<id:client_id>/tasks")
@login_required
def add(client_id: str) -> ResponseReturnValue:
    actor = current_agent()
    client, form = sales().clients.get_own(actor, client_id), TaskForm()
    if form.validate_on_submit():
        task = attempt(form, lambda: sales().tasks.add(actor, client_id, form.title.data or "", form.due_on.data))
        if task is not None:
            return redirect(url_for("clients.show", client_id=client_id, _anchor="tasks"), 303)
    return render_template("tasks/add.html", form=form, client=client), 422


@blueprint.post("/tasks/<id:task_id>/done")
@login_required
def done(task_id: str) -> ResponseReturnValue:
    task = sales().tasks.done(current_agent(), task_id)
    flash(f"Done: {task.title}", "done")
    return redirect(_back(task.client_id), 303)


@blueprint.post("/tasks/<id:task_id>/undo")
@login_required
def undo(task_id: str) -> ResponseReturnValue:
    task = sales().tasks.undo(current_agent(), task_id)
    return redirect(_back(task.client_id), 303)


def _named(task: Task) -> str:
    return f"{task.title} ({task.client_name})"


def _source() -> str:
    return request.values.get("from", "")


def _back(client_id: str) -> str:
    if _source() == _DASHBOARD:
        return url_for("dashboard.show")
    if _source() == _LIST:
        return url_for("tasks.index")
    return url_for("clients.show", client_id=client_id, _anchor="tasks")


def _filter() -> TaskFilter:
    state = request.args.get("state", "")
    shown = TaskState(state) if state in list(TaskState) else TaskState.OPEN
    today = core().clock.now().astimezone(ZoneInfo(current_agent().time_zone)).date()
    return TaskFilter(today=today, text=typed_text(), state=shown, order=asked_order(TaskSort, usual_order(shown)))


def client_panel(actor: Actor, client: ClientDetail) -> Panel:
    """The tasks part of a client's page."""
    still_open, done_lately = sales().tasks.of_client(actor, client.id)
    data = {
        "open": still_open,
        "done": done_lately,
        "client": client,
        "own": actor.owns(client.agent_id),
        "today": core().clock.now().astimezone(ZoneInfo(actor.time_zone)).date(),
        "form": TaskForm(formdata=None),
    }
    return Panel(template="tasks/client_panel.html", data=data)
