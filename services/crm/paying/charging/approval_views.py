"""The admins' page of a refund that an agent asked for. The list of them is that of all approvals (second_reveals)."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from chassis.errors import InvalidArgument, PermissionDenied, WayvaultError
from chassis.web.known_devices import known_devices
from services.crm.access.activity.service import Act
from services.crm.access.parts import access
from services.crm.core.actor import Actor
from services.crm.core.forms import attempt
from services.crm.core.origin import request_origin
from services.crm.core.panels import Panel
from services.crm.core.parts import core
from services.crm.core.web import admin_required, current_agent
from services.crm.paying.charging.approvals import AskedRefund, RequestState
from services.crm.paying.charging.forms import ApproveForm, RefuseForm
from services.crm.paying.parts import paying

blueprint = Blueprint("refund_approvals", __name__, template_folder="templates", url_prefix="/approvals/refunds")


def dashboard_panel(actor: Actor) -> Panel | None:
    """Tells an admin that refunds wait for them."""
    if access().directory.agency(actor.agency_id).data.refund_limit is None:
        return None
    count = core().waiting.of(actor)["refund requests"]
    return Panel(template="refund_approvals/dashboard_panel.html", data={"count": count}) if count else None


@blueprint.get("/<id:request_id>")
@admin_required
def show(request_id: str) -> ResponseReturnValue:
    """What is asked for, and the two answers."""
    return _page(paying().refund_approvals.get(current_agent(), request_id))


@blueprint.post("/<id:request_id>/approve")
@admin_required
def approve(request_id: str) -> ResponseReturnValue:
    """G2: has the money given back, once the admin has shown that it is them."""
    actor, form = current_agent(), ApproveForm(prefix="approve")
    asked = paying().refund_approvals.get(actor, request_id)
    if form.validate_on_submit():
        done = attempt(form, lambda: _approve(actor, request_id, form))
        if done is not None:
            _note(actor, Act.REFUND_APPROVED, done)
            flash(f"Approved. {done.agent_name} is told by e-mail, and the money is on its way back.", "done")
            return redirect(url_for("refund_approvals.show", request_id=request_id), 303)
    return _page(asked, approve=form), 422


@blueprint.post("/<id:request_id>/refuse")
@admin_required
def refuse(request_id: str) -> ResponseReturnValue:
    """G2: says no, and why."""
    actor, form = current_agent(), RefuseForm(prefix="refuse")
    asked = paying().refund_approvals.get(actor, request_id)
    if form.validate_on_submit():
        done = attempt(form, lambda: _refuse(actor, request_id, form))
        if done is not None:
            _note(actor, Act.REFUND_REFUSED, done)
            flash(f"Refused. {done.agent_name} is told by e-mail.", "done")
            return redirect(url_for("refund_approvals.show", request_id=request_id), 303)
    return _page(asked, refuse=form), 422


def _approve(actor: Actor, request_id: str, form: ApproveForm) -> AskedRefund:
    _demand_may_decide(actor, request_id)
    access().sign_in.demand_proof(actor.agent_id, form.code.data or "", known_devices().visitor(actor.email))
    return paying().refund_approvals.approve(actor, request_id, word=form.word.data or "")


def _refuse(actor: Actor, request_id: str, form: RefuseForm) -> AskedRefund:
    _demand_may_decide(actor, request_id)
    return paying().refund_approvals.refuse(actor, request_id, word=form.word.data or "")


def _demand_may_decide(actor: Actor, request_id: str) -> None:
    """Raises InvalidArgument, which the form shows, before a code is used up."""
    try:
        paying().refund_approvals.to_decide(actor, request_id)
    except PermissionDenied as error:
        raise InvalidArgument(error.message) from error


def _note(actor: Actor, act: Act, asked: AskedRefund) -> None:
    about = f"{asked.request.amount.format()} to {asked.payment.payer_name}, asked for by {asked.agent_name}"
    access().activities.note(actor, act, about, request_origin())


def _page(asked: AskedRefund, *, approve: ApproveForm | None = None, refuse: RefuseForm | None = None) -> str:
    problem = ""
    try:
        paying().refund_approvals.to_decide(current_agent(), asked.request.id)
    except WayvaultError as error:
        problem = error.message
    return render_template(
        "refund_approvals/show.html",
        asked=asked,
        refund=asked.request,
        waits=asked.request.state is RequestState.REQUESTED,
        payment=asked.payment,
        charge=paying().charges.of_payment(asked.payment),
        problem=problem,
        approve_form=approve or ApproveForm(formdata=None, prefix="approve"),
        refuse_form=refuse or RefuseForm(formdata=None, prefix="refuse"),
    )
