"""Pages of recorded payments: the form that records one, the answer to a client's report, the reversal of a mistake."""

import secrets
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from chassis.errors import PermissionDenied
from chassis.money import Money
from chassis.web.formatting import zone
from services.crm.core.actor import Actor
from services.crm.core.forms import attempt, do_and_say
from services.crm.core.panels import Panel
from services.crm.core.parts import core
from services.crm.core.web import current_agent, login_required
from services.crm.paying.parts import paying
from services.crm.paying.payments.pages import NO_SEGMENT
from services.crm.paying.payments.service import Payment, PaymentState, PaymentType, Refused
from services.crm.paying.recording.forms import ReasonForm, RecordForm, make_form
from services.crm.paying.recording.rules import may_answer, may_reverse
from services.crm.paying.recording.service import Recorded
from services.crm.paying.schedule.service import excess_of, proposal
from services.crm.trips.bookings.service import BookingDetail
from services.crm.trips.parts import trips

blueprint = Blueprint("recording", __name__, template_folder="templates")

REVERSAL_REASONS = (
    "It was marked as processed by mistake.",
    "The supplier did not charge the card after all.",
    "The amount was wrong; it is recorded anew.",
    "The cheque was not honoured.",
)
NOT_FOUND_REASONS = (
    "We can't find this payment. Please send the bank's confirmation.",
    "The supplier has not received it.",
)


@blueprint.route("/bookings/<id:booking_id>/payments/new", methods=["GET", "POST"])
@login_required
def new(booking_id: str) -> ResponseReturnValue:
    """C6: writes down what was paid otherwise."""
    actor = current_agent()
    booking = trips().bookings.get(actor, booking_id)
    if not actor.owns(booking.agent_id):
        raise PermissionDenied("Only the agent who owns this booking can record payments on it.")
    form = make_form(booking, **_first_values(booking))
    excess: Money | None = None
    if request.method == "POST" and (wanted := form.recorded()) is not None:
        excess = _excess(booking, wanted)
        if excess is None or form.overpay_ok.data:
            made = attempt(form, lambda: paying().recording.record(actor, booking_id, wanted, ip=_ip()))
            if made is not None:
                flash(f"{made.amount.format()} is recorded and counts as paid.", "done")
                return redirect(url_for("bookings.show", booking_id=booking_id) + "#payments", 303)
    return _form_page(form, booking, excess)


@blueprint.post("/payments/<id:payment_id>/confirm")
@login_required
def confirm(payment_id: str) -> ResponseReturnValue:
    """C6: the agent has seen the payment that the client reported."""
    do_and_say(
        lambda: paying().recording.confirm(current_agent(), payment_id, ip=_ip()),
        lambda _: "Confirmed. The payment counts from now on, and the client sees it in the portal.",
    )
    return redirect(url_for("payment_page.show", payment_id=payment_id), 303)


@blueprint.route("/payments/<id:payment_id>/decline", methods=["GET", "POST"])
@login_required
def decline(payment_id: str) -> ResponseReturnValue:
    """C6: there is no such payment as the client reported."""
    actor, recording = current_agent(), paying().recording
    payment, form = _own(actor, payment_id), ReasonForm()
    if isinstance(refused := may_answer(payment.state), Refused) and payment.state is not PaymentState.DECLINED:
        flash(refused.why, "alert")
        return _to(payment)
    if form.validate_on_submit():
        reason = form.reason.data or ""
        done = attempt(form, lambda: recording.decline(actor, payment_id, reason=reason, ip=_ip()))
        if done is not None:
            flash(f"{payment.payer_name} reads in the portal that the payment was not found.", "done")
            return _to(payment)
    page = render_template("recording/decline.html", form=form, payment=payment, reasons=NOT_FOUND_REASONS)
    return page, 422 if form.errors else 200


@blueprint.route("/payments/<id:payment_id>/reverse", methods=["GET", "POST"])
@login_required
def reverse(payment_id: str) -> ResponseReturnValue:
    """C6: a processed or recorded payment was a mistake."""
    actor, recording = current_agent(), paying().recording
    payment, form = _own(actor, payment_id), ReasonForm()
    if isinstance(refused := may_reverse(payment.state), Refused) and payment.state is not PaymentState.REVERSED:
        flash(refused.why, "alert")
        return _to(payment)
    if why := recording.why_not_by_word(payment_id):
        flash(why, "alert")
        return _to(payment)
    if form.validate_on_submit():
        reason = form.reason.data or ""
        done = attempt(form, lambda: recording.reverse(actor, payment_id, reason=reason, ip=_ip()))
        if done is not None:
            flash(f"Void. {payment.amount.format()} does not count as paid any more; the record stays.", "done")
            return _to(payment)
    page = render_template("recording/reverse.html", form=form, payment=payment, reasons=REVERSAL_REASONS)
    return page, 422 if form.errors else 200


def dashboard_panel(actor: Actor) -> Panel | None:
    """What clients have reported and nobody has answered; nothing while there is none."""
    reported = paying().book.on_desk(actor).reported
    return Panel(template="recording/dashboard_panel.html", data={"reported": reported}) if reported else None


def _form_page(form: RecordForm, booking: BookingDetail, excess: Money | None) -> ResponseReturnValue:
    page = render_template(
        "recording/new.html",
        form=form,
        booking=booking,
        excess=excess,
        schedule=paying().schedule.of(booking),
        today=core().clock.now().astimezone(zone()).date(),
        own=False,
    )
    return page, 422 if form.errors or excess else 200


def _excess(booking: BookingDetail, wanted: Recorded) -> Money | None:
    """By how much it would be paid too much. A form sent twice counts once."""
    if paying().recording.was_recorded(wanted.request_key):
        return None
    return excess_of(paying().schedule.of(booking), wanted.type, wanted.segment_id, wanted.amount)


def _first_values(booking: BookingDetail) -> dict[str, Any]:  # Any: whatever a field takes as data
    """What the form shows first: today, the lead, and the amount that is due next, or the one that was clicked."""
    values: dict[str, Any] = {
        "request_key": secrets.token_urlsafe(24),
        "paid_on": core().clock.now().astimezone(zone()).date(),
    }
    schedule, asked = paying().schedule.of(booking), request.args.get("segment", "")
    first = proposal(
        schedule,
        segment_id=asked if booking.segment(asked) else "",
        due_id=request.args.get("due", ""),
        fee=asked == NO_SEGMENT,
    )
    if first is None:
        return values | ({} if booking.segments else {"segment_id": NO_SEGMENT, "type": PaymentType.SERVICE_FEE.value})
    what = {"amount": first.amount, "type": first.type.value, "segment_id": first.segment_id or NO_SEGMENT}
    return values | what


def _own(actor: Actor, payment_id: str) -> Payment:
    payment = paying().book.get(actor, payment_id)
    if not actor.owns(payment.agent_id):
        raise PermissionDenied("Only the agent who owns this payment can act on it.")
    return payment


def _to(payment: Payment) -> ResponseReturnValue:
    return redirect(url_for("payment_page.show", payment_id=payment.id), 303)


def _ip() -> str:
    return request.remote_addr or ""
