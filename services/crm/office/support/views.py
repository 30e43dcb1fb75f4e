"""Pages of support tickets: list, one, writing, closing."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from services.crm.core.addresses import page_number, same_list, with_same_filter
from services.crm.core.export import table_response
from services.crm.core.forms import attempt
from services.crm.core.headings import Headings, asked_order
from services.crm.core.web import current_agent, login_required
from services.crm.office.parts import office
from services.crm.office.support.forms import ReplyForm, TicketForm
from services.crm.office.support.service import LAST_WORD, TICKET_KEYS, TicketFilter, TicketSort, TicketState

blueprint = Blueprint("support", __name__, template_folder="templates", url_prefix="/support")

_CHIPS = (("All", ""), ("Open", "open"), ("Answered", "answered"), ("Closed", "closed"))
_CSV_HEADER = ("Question", "Asked by", "State", "Asked (UTC)", "Last word (UTC)")


@blueprint.get("")
@login_required
def index() -> ResponseReturnValue:
    """The tickets; filter and page stay in the address."""
    wanted = _wanted()
    return render_template(
        "support/index.html",
        page=office().support.list_page(current_agent(), wanted, page_number()),
        chips=[(label, same_list(state=value), value == (wanted.state or "")) for label, value in _CHIPS],
        sort=Headings(wanted.order, TICKET_KEYS, LAST_WORD),
        same_list=same_list,
        csv_url=with_same_filter("support.export"),
    )


@blueprint.get("/tickets.xlsx")
@blueprint.get("/tickets.csv")
@login_required
def export() -> ResponseReturnValue:
    """The list as the filter shows it."""
    found = office().support.export(current_agent(), _wanted())
    rows = ((each.subject, each.agent_name, each.state.value, each.opened_at, each.changed_at) for each in found)
    return table_response("support-tickets", _CSV_HEADER, rows)


@blueprint.route("/new", methods=["GET", "POST"])
@login_required
def new() -> ResponseReturnValue:
    """Asks the admins."""
    form = TicketForm()
    if form.validate_on_submit():
        ticket = attempt(
            form,
            lambda: office().support.open(current_agent(), form.subject.data or "", form.text.data or ""),
        )
        if ticket is not None:
            flash("Your question is with your admins. You get an e-mail when there is an answer.", "done")
            return redirect(url_for("support.show", ticket_id=ticket.id), 303)
    return render_template("support/new.html", form=form), 422 if form.errors else 200


@blueprint.get("/<id:ticket_id>")
@login_required
def show(ticket_id: str) -> ResponseReturnValue:
    found = office().support.get(current_agent(), ticket_id)
    return _page(ticket_id, ReplyForm(data={"version": found.ticket.version}))


@blueprint.post("/<id:ticket_id>/reply")
@login_required
def reply(ticket_id: str) -> ResponseReturnValue:
    """Writes on the ticket: its author asks on, an admin answers."""
    actor, support = current_agent(), office().support
    found = support.get(actor, ticket_id)
    form = ReplyForm()
    if form.validate_on_submit():
        version = form.version.data or 0
        written = attempt(form, lambda: support.write(actor, ticket_id, form.text.data or "", version=version))
        if written is not None:
            own = actor.owns(found.ticket.agent_id)
            flash("Sent to your admins." if own else f"Sent. {found.ticket.agent_name} gets it by e-mail.", "done")
            return redirect(url_for("support.show", ticket_id=ticket_id), 303)
    return _page(ticket_id, form)


@blueprint.post("/<id:ticket_id>/close")
@login_required
def close(ticket_id: str) -> ResponseReturnValue:
    """Puts the ticket away; writing on it opens it again."""
    ticket = office().support.close(current_agent(), ticket_id)
    flash(f"“{ticket.subject}” is closed. Write on it to open it again.", "done")
    return redirect(url_for("support.index"), 303)


def _wanted() -> TicketFilter:
    state = request.args.get("state", "")
    return TicketFilter(
        state=TicketState(state) if state in list(TicketState) else None, order=asked_order(TicketSort, LAST_WORD)
    )


def _page(ticket_id: str, form: ReplyForm) -> ResponseReturnValue:
    actor = current_agent()
    found = office().support.get(actor, ticket_id)
    page = render_template(
        "support/show.html",
        ticket=found.ticket,
        messages=found.messages,
        form=form,
        own=actor.owns(found.ticket.agent_id),
    )
    return page, 422 if form.errors else 200
