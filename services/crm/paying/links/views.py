"""Pages of payment authorization links: the form that sends them, resend, revoke, and the booking page's panel."""

import re
import secrets
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from chassis.errors import InvalidArgument, PermissionDenied
from chassis.money import Money
from chassis.web.formatting import plural
from services.crm.core.actor import Actor
from services.crm.core.panels import Panel
from services.crm.core.web import current_agent, login_required
from services.crm.paying.links.forms import NO_SEGMENT, make_form, read_request
from services.crm.paying.links.service import LinkRequest
from services.crm.paying.parts import paying
from services.crm.paying.payments.service import (
    Balance,
    Counted,
    PaymentType,
    SegmentTerms,
    balance,
    overpaid_by,
)
from services.crm.trips.bookings.service import BookingDetail, SegmentDetail
from services.crm.trips.parts import trips

blueprint = Blueprint(
    "links", __name__, template_folder="templates", static_folder="static", static_url_path="/static/links"
)


@blueprint.route("/links/new/<id:booking_id>", methods=["GET", "POST"])
@login_required
def new(booking_id: str) -> ResponseReturnValue:
    """M1: who pays how much for what; sends a link to each."""
    actor = current_agent()
    booking = trips().bookings.get(actor, booking_id)
    if not actor.owns(booking.agent_id):
        raise PermissionDenied("Only the agent who owns this booking can send payment links for it.")
    form = make_form(booking, **_first_values(booking))
    excess: Money | None = None
    if request.method == "POST" and (wanted := read_request(form)) is not None:
        excess = _excess(booking, wanted)
        if excess is None or form.overpay_ok.data:
            try:
                links = paying().links.send(actor, booking_id, wanted)
            except InvalidArgument as error:
                form.refuse(error.field, error.message)
            else:
                who = plural(len(links), "passenger")
                flash(f"The link is on its way to {who}. You get an e-mail when it was sent.", "done")
                return redirect(url_for("bookings.show", booking_id=booking_id) + "#payments", 303)
    page = render_template("links/new.html", form=form, booking=booking, excess=excess, standings=_standings(booking))
    return page, 422 if form.errors or excess else 200


@blueprint.post("/links/<id:link_id>/resend")
@login_required
def resend(link_id: str) -> ResponseReturnValue:
    """Mails the link again, with seven fresh days."""
    issue = request.form.get("issue", "")
    try:
        link = paying().links.resend(
            current_agent(), link_id, issue=int(issue) if issue.isascii() and issue.isdigit() else 0
        )
    except InvalidArgument as error:
        flash(error.message, "alert")
        return redirect(_back(), 303)
    flash(f"The link is on its way to {link.email} again.", "done")
    return redirect(_back(link.booking_id), 303)


@blueprint.post("/links/<id:link_id>/revoke")
@login_required
def revoke(link_id: str) -> ResponseReturnValue:
    """Makes the link useless."""
    try:
        link = paying().links.revoke(current_agent(), link_id)
    except InvalidArgument as error:
        flash(error.message, "alert")
        return redirect(_back(), 303)
    flash(f"The link for {link.email} no longer works.", "done")
    return redirect(_back(link.booking_id), 303)


def booking_panel(actor: Actor, booking: BookingDetail) -> Panel:
    """The payments part of a booking's page: what is scheduled, paid and due, and every link with its state (C6)."""
    links = {link.payment_id: link for link in paying().links.of_booking(actor, booking.id)}
    payments = paying().book.of_booking(actor, booking.id)
    return Panel(
        template="links/booking_panel.html",
        data={
            "booking": booking,
            "own": actor.owns(booking.agent_id),
            "payments": [(payment, links.get(payment.id)) for payment in payments],
            "standings": _standings(booking),
        },
    )


def _standings(booking: BookingDetail) -> list[tuple[SegmentDetail, Balance]]:
    counted = paying().book.counted_by_segment(booking.id)
    return [(segment, _balance(segment, counted.get(segment.id, []), booking.currency)) for segment in booking.segments]


def _balance(segment: SegmentDetail, payments: list[Counted], currency: str) -> Balance:
    data = segment.data
    terms = SegmentTerms(
        price=data.price,
        deposit=data.deposit,
        deposit_due_on=data.deposit_due_on,
        final=data.final,
        final_due_on=data.final_due_on,
    )
    return balance(terms, payments, currency)


def _excess(booking: BookingDetail, wanted: LinkRequest) -> Money | None:
    """By how much this sending would go over the segment's price (C6). A form sent twice counts once."""
    if wanted.type is PaymentType.SERVICE_FEE or paying().links.was_sent(wanted.request_key):
        return None
    total = sum((share.amount for share in wanted.shares), start=Money(minor=0, currency=booking.currency))
    for segment, standing in _standings(booking):
        if segment.id == wanted.segment_id:
            return overpaid_by(standing, total)
    return None


def _first_values(booking: BookingDetail) -> dict[str, Any]:  # Any: whatever a field takes as data
    """What the form shows first: the lead ticked, and the next amount that the schedule expects."""
    values: dict[str, Any] = {"request_key": secrets.token_urlsafe(24)}
    picked = [index for index, passenger in enumerate(booking.passengers) if passenger.email][:1]
    for index in picked:
        values[f"pick_{index}"] = True
    wanted = request.args.get("segment", "")
    segment = booking.segment(wanted) or next(iter(booking.segments), None)
    if segment is None:
        return values | {"type": PaymentType.SERVICE_FEE.value, "segment_id": NO_SEGMENT} | _fee(booking, picked)
    values["segment_id"] = segment.id
    standing = next(entry for held, entry in _standings(booking) if held.id == segment.id)
    data, promised = segment.data, standing.promised.minor
    if data.deposit is not None and promised < data.deposit.minor:
        kind, amount, due_on, words = PaymentType.DEPOSIT, data.deposit, data.deposit_due_on, "Deposit"
    elif data.price is not None and promised < data.price.minor:
        rest = Money(minor=data.price.minor - promised, currency=data.price.currency)
        kind, amount, due_on, words = PaymentType.FINAL, data.final or rest, data.final_due_on, "Final payment"
    else:
        return values
    for index in picked:
        values[f"amount_{index}"] = amount
    purpose = f"{words} for {data.supplier_name}"
    return values | {"type": kind.value, "due_on": due_on, "purpose": purpose}


def _fee(booking: BookingDetail, picked: list[int]) -> dict[str, Any]:
    if booking.service_fee is None:
        return {}
    amounts = {f"amount_{index}": booking.service_fee for index in picked}
    return amounts | {"purpose": booking.service_fee_description or "Service fee"}


def _back(booking_id: str = "") -> str:
    """The page the button stood on, as far as the form said so."""
    payment_id = request.form.get("from_payment", "")
    if re.fullmatch(r"pay_[a-z2-7]{26}", payment_id):
        return url_for("area.show", payment_id=payment_id)
    if booking_id:
        return url_for("bookings.show", booking_id=booking_id) + "#payments"
    return url_for("payments.report")
