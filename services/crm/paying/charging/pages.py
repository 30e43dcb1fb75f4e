"""What pages do that have a card charged: the payment's own, and the panel of a payment by phone."""

from flask import flash

from chassis.errors import InvalidArgument
from chassis.web.known_devices import known_devices
from services.crm.access.parts import access
from services.crm.core.actor import Actor
from services.crm.core.forms import attempt
from services.crm.core.origin import request_origin
from services.crm.core.ports.charging import ChargeState
from services.crm.paying.charging.forms import ChargeForm
from services.crm.paying.parts import paying
from services.crm.paying.payments.service import Payment


def proven(actor: Actor, payment: Payment, form: ChargeForm) -> bool:
    """Whether the agency wants no code before a charge, or a fresh one was typed; what is wrong with it then stands
    beside its field."""
    if not (actor.owns(payment.agent_id) and access().directory.agency(payment.agency_id).data.charge_code):
        return True

    def prove() -> bool:
        access().sign_in.demand_proof(actor.agent_id, form.code.data or "", known_devices().visitor(actor.email))
        return True

    return form.validate_on_submit() and attempt(form, prove) is not None


def charge_and_say(actor: Actor, payment_id: str) -> None:
    """Has the card charged. Success and refusal are told above the next page; how the charge stands is shown there."""
    try:
        state = paying().charges.charge(actor, payment_id, origin=request_origin())
    except InvalidArgument as error:
        flash(error.message, "alert")
        return
    if state is ChargeState.SUCCEEDED:
        flash("Charged. Card and CVV are being destroyed, and the client gets a receipt.", "done")
