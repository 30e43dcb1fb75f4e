"""Pages of insurance offers: the form that offers, remind, withdraw, the signed answer; the booking page's panel."""

import secrets

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from chassis.errors import InvalidArgument, PermissionDenied
from chassis.web.formatting import plural
from services.crm.core.actor import Actor
from services.crm.core.forms import do_and_say, shown_issue
from services.crm.core.panels import Panel
from services.crm.core.web import current_agent, login_required
from services.crm.signing.esign.rules import DocumentKind
from services.crm.signing.insurance.forms import make_form, read_form
from services.crm.signing.insurance.service import Offer
from services.crm.signing.parts import signing
from services.crm.trips.bookings.service import BookingDetail
from services.crm.trips.parts import trips

blueprint = Blueprint("insurance", __name__, template_folder="templates", url_prefix="/insurance")


@blueprint.route("/new/<id:booking_id>", methods=["GET", "POST"])
@login_required
def new(booking_id: str) -> ResponseReturnValue:
    """Offers a plan to passengers of a booking."""
    actor = current_agent()
    booking = trips().bookings.get(actor, booking_id)
    if not actor.owns(booking.agent_id):
        raise PermissionDenied("Only the agent who owns this booking can offer insurance for it.")
    form = make_form(booking, **_first_values(booking))
    if request.method == "POST" and (wanted := read_form(form)) is not None:
        try:
            offers = signing().insurance.offer(actor, booking_id, wanted)
        except InvalidArgument as error:
            form.refuse(error.field, error.message)
        else:
            flash(f"The offer of {offers[0].plan} is on its way to {plural(len(offers), 'passenger')}.", "done")
            return redirect(url_for("bookings.show", booking_id=booking_id) + "#insurance", 303)
    template = signing().library.of_kind(actor, DocumentKind.INSURANCE)
    page = render_template("insurance/new.html", form=form, booking=booking, template=template)
    return page, 422 if form.errors else 200


@blueprint.post("/<id:offer_id>/remind")
@login_required
def remind(offer_id: str) -> ResponseReturnValue:
    """Mails the offer again."""
    offer = do_and_say(
        lambda: signing().insurance.remind(current_agent(), offer_id, issue=shown_issue()),
        lambda offer: f"The offer is on its way to {offer.email} again.",
    )
    return redirect(_back(offer) if offer else url_for("bookings.index"), 303)


@blueprint.post("/<id:offer_id>/withdraw")
@login_required
def withdraw(offer_id: str) -> ResponseReturnValue:
    """Takes the offer back."""
    offer = do_and_say(
        lambda: signing().insurance.withdraw(current_agent(), offer_id),
        lambda offer: f"The offer to {offer.passenger_name} is taken back.",
    )
    return redirect(_back(offer) if offer else url_for("bookings.index"), 303)


@blueprint.get("/<id:offer_id>/answer.pdf")
@login_required
def answer_pdf(offer_id: str) -> ResponseReturnValue:
    """The signed answer as a download."""
    response = make_response(signing().insurance.pdf(current_agent(), offer_id))
    response.mimetype = "application/pdf"
    response.headers["Content-Disposition"] = 'attachment; filename="insurance-answer.pdf"'
    return response


def booking_panel(actor: Actor, booking: BookingDetail) -> Panel:
    """The insurance part of a booking's page: who was offered what, and the answers (C7)."""
    offers = signing().insurance.of_booking(booking)
    return Panel(
        template="insurance/booking_panel.html",
        data={"booking": booking, "own": actor.owns(booking.agent_id), "offers": offers},
    )


def _first_values(booking: BookingDetail) -> dict[str, object]:
    values: dict[str, object] = {"request_key": secrets.token_urlsafe(24)}
    values |= {f"pick_{index}": True for index, passenger in enumerate(booking.passengers) if passenger.email}
    return values


def _back(offer: Offer) -> str:
    return url_for("bookings.show", booking_id=offer.booking_id) + "#insurance"
