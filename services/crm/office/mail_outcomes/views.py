"""Pages of failed e-mails: the list, sending again, putting away; the dashboard's place."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from chassis.errors import InvalidArgument, NotFound, Unavailable
from services.crm.core.actor import Actor
from services.crm.core.addresses import page_number, same_list, with_same_filter
from services.crm.core.export import table_response
from services.crm.core.headings import Headings, asked_order
from services.crm.core.panels import Panel
from services.crm.core.parts import core
from services.crm.core.web import current_agent, login_required
from services.crm.office.mail_outcomes.service import FAILURE_KEYS, NEWEST, FailureSort
from services.crm.office.parts import office

blueprint = Blueprint("mail_outcomes", __name__, template_folder="templates", url_prefix="/undelivered")

_CSV_HEADER = ("E-mail", "Client", "Address", "Why", "Agent", "When (UTC)", "Put away (UTC)")


def dashboard_panel(actor: Actor) -> Panel | None:
    """Says that e-mails of the agent's failed; nothing when none did."""
    count = core().waiting.of(actor)["mail failures"]
    return Panel(template="mail_outcomes/dashboard_panel.html", data={"count": count}) if count else None


@blueprint.get("")
@login_required
def index() -> ResponseReturnValue:
    """What failed; filter and page stay in the address."""
    actor = current_agent()
    settled = request.args.get("state") == "settled"
    order = asked_order(FailureSort, NEWEST)
    page = office().mail_outcomes.list_page(actor, settled=settled, number=page_number(), order=order)
    chips = [
        ("Open", same_list(state=""), not settled),
        ("Put away", same_list(state="settled"), settled),
    ]
    return render_template(
        "mail_outcomes/index.html",
        page=page,
        chips=chips,
        settled=settled,
        sort=Headings(order, FAILURE_KEYS, NEWEST),
        same_list=same_list,
        csv_url=with_same_filter("mail_outcomes.export"),
        me=actor.agent_id,
    )


@blueprint.get("/mails.xlsx")
@blueprint.get("/mails.csv")
@login_required
def export() -> ResponseReturnValue:
    """The list as the filter shows it."""
    settled = request.args.get("state") == "settled"
    found = office().mail_outcomes.export(current_agent(), settled=settled, order=asked_order(FailureSort, NEWEST))
    rows = (
        (each.kind.words, each.client_name, each.address, each.reason, each.agent_name, each.failed_at, each.settled_at)
        for each in found
    )
    return table_response("mails-that-did-not-arrive", _CSV_HEADER, rows)


@blueprint.post("/<id:failure_id>/resend")
@login_required
def resend(failure_id: str) -> ResponseReturnValue:
    """Sends it again, to the address that is known now. Only the agent whose it is can."""
    actor = current_agent()
    failure = office().mail_outcomes.get(actor, failure_id)
    if not (failure.can_resend and actor.owns(failure.agent_id)):
        raise NotFound("This e-mail can't be sent again from here.")
    try:
        office().resending.again(actor, failure)
    except (InvalidArgument, NotFound, Unavailable) as error:
        flash(error.message, "alert")
    else:
        office().mail_outcomes.settle(actor, failure_id)
        flash(f"On its way again: {failure.kind.words}.", "done")
    return redirect(url_for("mail_outcomes.index"), 303)


@blueprint.post("/<id:failure_id>/settle")
@login_required
def settle(failure_id: str) -> ResponseReturnValue:
    """Puts it away."""
    office().mail_outcomes.settle(current_agent(), failure_id)
    flash("Put away. You find it under “Put away”.", "done")
    return redirect(url_for("mail_outcomes.index"), 303)
