"""Pages around payments by phone: the report of calls, an agent's telephone, the agency's settings."""

from typing import Final

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from chassis.typed.days import day_from
from services.crm.access.parts import access
from services.crm.core.actor import Actor
from services.crm.core.addresses import with_same_filter
from services.crm.core.export import table_response
from services.crm.core.headings import Headings, asked_order
from services.crm.core.ports.charging import ChargeState
from services.crm.core.web import admin_required, current_agent, login_required
from services.crm.paying.charging.service import ChargeDetail
from services.crm.paying.parts import paying
from services.crm.paying.phone.forms import DeskForm, FlowForm, order_value
from services.crm.paying.phone.rules import CHARGE_WORDS, RESULT_WORDS
from services.crm.paying.phone.service import CALL_KEYS, EXPORT_LIMIT, NEWEST, Call, CallFilter, CallSort, Result
from services.crm.paying.phone.views import blueprint

__all__ = ["blueprint"]

_CSV_HEADER: Final = (
    "Started (UTC)",
    "Agent",
    "Client",
    "Booking",
    "Result",
    "Seconds",
    "Fields asked again",
    "Payment",
    "Currency",
    "Amount",
    "Charge",
    "Charged",
    "Refunded",
    "Test mode",
)


@blueprint.get("/phone/calls")
@login_required
def calls() -> ResponseReturnValue:
    """T5: calls with a secure session, an agent's own, an admin's agency's."""
    actor, wanted = current_agent(), _filter()
    found = paying().phone.calls(actor, wanted)
    return render_template(
        "phone/calls.html",
        calls=found,
        charges=_charges(found),
        charge_words=CHARGE_WORDS,
        wanted=wanted,
        sort=Headings(wanted.order, CALL_KEYS, NEWEST),
        results=RESULT_WORDS,
        agents=_agents(actor),
        csv_url=with_same_filter("phone.export"),
        may_set=actor.is_admin,
    )


@blueprint.get("/phone/calls.xlsx")
@blueprint.get("/phone/calls.csv")
@login_required
def export() -> ResponseReturnValue:
    """The report as the filter shows it."""
    actor = current_agent()
    agents = _agents(actor)
    found = paying().phone.calls(actor, _filter(), EXPORT_LIMIT)
    charges = _charges(found)
    rows = (_csv_row(call, agents, charges.get(call.id)) for call in found)
    return table_response("phone-calls", _CSV_HEADER, rows)


@blueprint.route("/phone/telephone", methods=["GET", "POST"])
@login_required
def telephone() -> ResponseReturnValue:
    """Which telephone is the agent's own."""
    actor = current_agent()
    form = DeskForm(data={"extension": paying().phone.desk(actor.agent_id)})
    if request.method == "POST" and form.validate_on_submit():
        paying().phone.change_desk(actor, (form.extension.data or "").strip())
        flash("Your telephone is noted.", "done")
        return redirect(url_for("phone.telephone"), 303)
    return render_template("phone/telephone.html", form=form), 422 if form.errors else 200


@blueprint.route("/phone/settings", methods=["GET", "POST"])
@admin_required
def settings() -> ResponseReturnValue:
    """T8: the agency's flow; and whether phone payments are ready."""
    actor = current_agent()
    flow = paying().phone.flow(actor.agency_id)
    form = FlowForm(
        data={
            "order": order_value(flow),
            "script": flow.script,
            "field_seconds": flow.field_seconds,
            "idle_seconds": flow.idle_seconds,
            "total_seconds": flow.total_seconds,
        }
    )
    if request.method == "POST" and (changed := form.flow()) is not None:
        paying().phone.change_flow(actor, changed)
        flash("The flow is saved. It holds from the next call on.", "done")
        return redirect(url_for("phone.settings"), 303)
    page = render_template(
        "phone/settings.html", form=form, set_up=paying().phone.is_set_up, ready=paying().phone.readiness()
    )
    return page, 422 if form.errors else 200


def _agents(actor: Actor) -> dict[str, str]:
    return access().directory.names_in(actor)


def _filter() -> CallFilter:
    result, since = request.args.get("result", ""), request.args.get("since", "")
    return CallFilter(
        result=Result(result) if result in list(Result) else None,
        since=day_from(since),
        order=asked_order(CallSort, NEWEST),
    )


def _charges(calls: list[Call]) -> dict[str, ChargeDetail]:
    """What became of the charges of the cards that were stored, by call."""
    stored = {call.payment_id: call for call in calls if call.result is Result.STORED}
    found = paying().charges.of_payments({each: call.amount.currency for each, call in stored.items()})
    return {stored[payment_id].id: charge for payment_id, charge in found.items()}


def _csv_row(call: Call, agents: dict[str, str], charge: ChargeDetail | None) -> tuple[object, ...]:
    return (
        call.started_at,
        agents.get(call.agent_id, ""),
        call.payer_name,
        call.booking_title,
        call.result_words,
        call.seconds if call.seconds is not None else "",
        call.asked_again,
        call.payment_state.value,
        call.amount.currency,
        call.amount.decimal,
        CHARGE_WORDS[charge.state] if charge else "",
        charge.amount.decimal if charge and charge.state is ChargeState.SUCCEEDED else "",
        charge.refunded.decimal if charge and charge.refunded.minor else "",
        "yes" if charge and charge.live is False else "",
    )
