"""The payment area's forms that charge a card and give money back (G1, G2, G4)."""

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from chassis.errors import InvalidArgument
from chassis.typed.numbers import number_from
from services.crm.core.origin import request_origin
from services.crm.core.ports.charging import RefundState
from services.crm.core.web import current_agent, login_required
from services.crm.paying.charging.forms import ChargeForm
from services.crm.paying.charging.pages import charge_and_say, proven
from services.crm.paying.charging.service import RefundRequest
from services.crm.paying.parts import paying
from services.crm.paying.payment_page.views import act_on, blueprint, here, page_of, refund_form_of

__all__ = ["blueprint"]

_REFUND_WORDS = {
    RefundState.ASKING: (
        "The refund is under way, and it is being found out how it ended. It is made once, whatever you click.",
        "wait",
    ),
    RefundState.PENDING: ("The gateway has accepted the refund; it shows here when the money has left.", "done"),
    RefundState.SUCCEEDED: ("Refunded. The client gets a receipt by e-mail; their bank takes some days.", "done"),
    RefundState.FAILED: ("Nothing was given back. The reason is given here.", "alert"),
}
_REFUND_WAITS = (
    "Asked. A refund of this size needs another admin: they have an e-mail, and you get one when it is decided.",
    "wait",
)


@blueprint.post("/payments/<id:payment_id>/charge")
@login_required
def charge(payment_id: str) -> ResponseReturnValue:
    """G1: has the card charged through the agency's gateway."""
    actor = current_agent()
    payment = paying().book.get(actor, payment_id)
    form = ChargeForm(prefix="charge")
    if not proven(actor, payment, form):
        return page_of(payment_id, charge=form), 422
    charge_and_say(actor, payment_id)
    return here(payment_id)


@blueprint.post("/payments/<id:payment_id>/charge/give-up")
@login_required
def give_up_charge(payment_id: str) -> ResponseReturnValue:
    """G4: takes back a charge that waits for the client."""
    try:
        paying().charges.give_up(current_agent(), payment_id, origin=request_origin())
    except InvalidArgument as error:
        flash(error.message, "alert")
    return _back(payment_id)


@blueprint.post("/payments/<id:payment_id>/refund")
@login_required
def refund(payment_id: str) -> ResponseReturnValue:
    """G2: gives money back, whole or in part."""
    form = refund_form_of(paying().book.get(current_agent(), payment_id))

    def act() -> ResponseReturnValue:
        if form.amount.data is None:
            raise InvalidArgument("Enter the amount to give back.", field="amount")
        made = paying().refunds.refund(
            current_agent(),
            payment_id,
            amount=form.amount.data,
            reason=form.reason.data or "",
            seen=number_from(form.seen.data or "", most=9999),
            origin=request_origin(),
        )
        flash(*(_REFUND_WAITS if isinstance(made, RefundRequest) else _REFUND_WORDS[made.state]))
        return here(payment_id)

    return act_on(payment_id, form, act, refund=form)


@blueprint.post("/payments/<id:payment_id>/refund/take-back")
@login_required
def take_refund_back(payment_id: str) -> ResponseReturnValue:
    """G2: the agent no longer wants the refund that waits for an admin."""
    if paying().refund_approvals.withdraw(current_agent(), payment_id):
        flash("Taken back. Nobody is asked any more, and no money moves.", "done")
    else:
        flash("No refund of this payment waits any more; how it was decided is shown here.", "alert")
    return here(payment_id)


@blueprint.post("/payments/<id:payment_id>/refund/cared-for")
@login_required
def refund_cared_for(payment_id: str) -> ResponseReturnValue:
    """G2: the agent has taken care of refunds that failed."""
    paying().failed_refunds.cared_for(current_agent(), payment_id)
    flash("Noted. It no longer stands in your list.", "done")
    return here(payment_id)


def _back(payment_id: str) -> ResponseReturnValue:
    """Where the charge was asked for: the payment's page, or the panel of a payment by phone."""
    if request.args.get("at") == "phone":
        return redirect(url_for("phone.panel", payment_id=payment_id), 303)
    return here(payment_id)
