"""Pages of payment authorization links: the form that sends them, resend, revoke, and the booking page's panel."""

import json
import re
import secrets
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from chassis.errors import InvalidArgument, PermissionDenied
from chassis.web.formatting import plural, zone
from services.crm.access.enrolment.rules import BLOCKED
from services.crm.access.parts import access
from services.crm.core.actor import Actor
from services.crm.core.forms import do_and_say, shown_issue
from services.crm.core.panels import Panel
from services.crm.core.parts import core
from services.crm.core.web import current_agent, login_required
from services.crm.paying.links.fillings import fillings
from services.crm.paying.links.forms import make_form, read_request
from services.crm.paying.links.overview_views import show_sent
from services.crm.paying.links.pages import Doubts, doubts_about, first_payment
from services.crm.paying.parts import paying
from services.crm.paying.payments.pages import NO_SEGMENT
from services.crm.paying.payments.service import Payment
from services.crm.paying.schedule.service import BookingSchedule
from services.crm.trips.bookings.service import BookingDetail
from services.crm.trips.parts import trips

T = TypeVar("T")

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
    if not access().enrolments.of(access().directory.agent(actor.agent_id)).may_ask:
        return render_template("links/not_enrolled.html", booking=booking, words=BLOCKED, is_admin=actor.is_admin)
    form = make_form(booking, **_first_values(booking))
    doubtful = Doubts()
    if request.method == "POST" and (wanted := read_request(form)) is not None:
        doubtful = doubts_about(booking, _schedule(booking), wanted)
        if form.overpay_ok.data or not doubtful:
            try:
                links = paying().links.send(actor, booking_id, wanted)
            except InvalidArgument as error:
                form.refuse(error.field, error.message)
            else:
                if request.form.get("show") == "yes":
                    return show_sent(links, back=url_for("bookings.show", booking_id=booking_id) + "#payments")
                who = plural(len(links), "passenger")
                flash(f"The link is on its way to {who}. You get an e-mail when it was sent.", "done")
                return redirect(url_for("bookings.show", booking_id=booking_id) + "#payments", 303)
    page = render_template(
        "links/new.html",
        form=form,
        booking=booking,
        excess=doubtful.excess,
        doubtful=doubtful.words,
        fillings=_for_the_script(booking),
        **_money_of(booking),
    )
    return page, 422 if form.errors or doubtful else 200


@blueprint.post("/links/<id:link_id>/resend")
@login_required
def resend(link_id: str) -> ResponseReturnValue:
    """Mails the link again, with seven fresh days."""
    link = do_and_say(
        lambda: paying().links.remind(current_agent(), link_id, issue=shown_issue()),
        lambda link: f"The link is on its way to {link.email} again.",
    )
    return redirect(_back(link.booking_id if link else ""), 303)


@blueprint.post("/links/<id:link_id>/revoke")
@login_required
def revoke(link_id: str) -> ResponseReturnValue:
    """Makes the link useless."""
    link = do_and_say(
        lambda: paying().links.withdraw(current_agent(), link_id),
        lambda link: f"The link for {link.email} no longer works.",
    )
    return redirect(_back(link.booking_id if link else ""), 303)


def booking_line(actor: Actor, booking: BookingDetail) -> Panel:
    """Where the money of the booking stands, and the one next step."""
    payments = _payments(actor, booking)
    return Panel(
        template="links/booking_line.html",
        data={
            "booking": booking,
            "own": actor.owns(booking.agent_id),
            "schedule": _schedule(booking),
            "waiting": next((payment for payment in payments if payment.is_pending), None),
        },
    )


def booking_panel(actor: Actor, booking: BookingDetail) -> Panel:
    """The payments part of a booking's page: what is scheduled, paid and due, and every link with its state (C6)."""
    links = {link.payment_id: link for link in paying().links.of_booking(actor, booking.id)}
    payments = _payments(actor, booking)
    return Panel(
        template="links/booking_panel.html",
        data={
            "booking": booking,
            "own": actor.owns(booking.agent_id),
            "payments": [(payment, links.get(payment.id)) for payment in payments],
            "schedule": _schedule(booking),
            "today": core().clock.now().astimezone(zone()).date(),
        },
    )


def _money_of(booking: BookingDetail) -> dict[str, Any]:  # Any: what the template reads
    today = core().clock.now().astimezone(zone()).date()
    return {"schedule": _schedule(booking), "today": today, "own": False}


def _schedule(booking: BookingDetail) -> BookingSchedule:
    """Read once for all that this request shows of the booking."""
    return _once("schedule", booking.id, lambda: paying().schedule.of(booking))


def _payments(actor: Actor, booking: BookingDetail) -> list[Payment]:
    return _once("payments", booking.id, lambda: paying().book.of_booking(actor, booking.id))


def _once(what: str, booking_id: str, read: Callable[[], T]) -> T:
    kept = g.setdefault("links_read", {})
    key = (what, booking_id)
    if key not in kept:
        kept[key] = read()
    found: T = kept[key]
    return found


def _for_the_script(booking: BookingDetail) -> str:
    """What the form fills in when kind or part of the trip change: JSON by "kind/part"."""
    known = {f"{each.type}/{each.segment_id or NO_SEGMENT}": each.as_typed() for each in fillings(_schedule(booking))}
    return json.dumps(known)


def _first_values(booking: BookingDetail) -> dict[str, Any]:  # Any: whatever a field takes as data
    """What the form shows first: the lead ticked, and the next amount that is due, or the one that was clicked."""
    values: dict[str, Any] = {"request_key": secrets.token_urlsafe(24)}
    picked = [index for index, passenger in enumerate(booking.passengers) if passenger.email][:1]
    for index in picked:
        values[f"pick_{index}"] = True
    first = first_payment(
        booking,
        _schedule(booking),
        segment_id=request.args.get("segment", ""),
        due_id=request.args.get("due", ""),
    )
    amounts = {f"amount_{index}": first["amount"] for index in picked if "amount" in first}
    return {**values, **first, **amounts}


def _back(booking_id: str = "") -> str:
    """The page the button stood on, as far as the form said so."""
    payment_id = request.form.get("from_payment", "")
    if re.fullmatch(r"pay_[a-z2-7]{26}", payment_id):
        return url_for("payment_page.show", payment_id=payment_id)
    if booking_id:
        return url_for("bookings.show", booking_id=booking_id) + "#payments"
    return url_for("payments.report")
