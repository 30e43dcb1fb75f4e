"""Pages of the itinerary: page (made to be printed), PDF, calendar file, and the links that share it."""

import secrets

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from chassis import calendar
from chassis.paper.itinerary import pdf
from chassis.web.downloads import download, file_name
from services.crm.core.forms import attempt
from services.crm.core.parts import core
from services.crm.core.qr import qr_code
from services.crm.core.web import current_agent, login_required
from services.crm.trips.itinerary.forms import ShareForm
from services.crm.trips.itinerary.service import entries_of, fee_words, plan_of, printed
from services.crm.trips.parts import trips

blueprint = Blueprint(
    "itinerary",
    __name__,
    template_folder="templates",
    static_folder="static",
    static_url_path="/static/itinerary",
)


@blueprint.get("/bookings/<id:booking_id>/itinerary")
@login_required
def show(booking_id: str) -> ResponseReturnValue:
    """C5: the trip as the client reads it, and its links."""
    actor, with_prices = current_agent(), _with_prices()
    view = trips().itineraries.get(actor, booking_id)
    return render_template(
        "itinerary/show.html",
        view=view,
        booking=view.booking,
        plan=plan_of(view.booking, with_prices=with_prices),
        with_prices=with_prices,
        fee=fee_words(view.booking),
        own=actor.owns(view.booking.agent_id),
        shares=trips().shares.of_booking(actor, view.booking),
        now=core().clock.now(),
    )


@blueprint.get("/bookings/<id:booking_id>/itinerary/trip.pdf")
@login_required
def paper(booking_id: str) -> ResponseReturnValue:
    """The same on paper."""
    view = trips().itineraries.get(current_agent(), booking_id)
    content = pdf(printed(view, with_prices=_with_prices()))
    return download(content, content_type="application/pdf", name=f"{file_name(view.booking.title)}.pdf")


@blueprint.route("/bookings/<id:booking_id>/itinerary/share", methods=["GET", "POST"])
@login_required
def share(booking_id: str) -> ResponseReturnValue:
    """Makes links that show the trip without an account: mailed to passengers, and to be passed on."""
    actor = current_agent()
    booking = trips().bookings.get_own(actor, booking_id)
    form = ShareForm(data={"request_key": secrets.token_urlsafe(24), "lifetime": "trip", "with_prices": _with_prices()})
    form.offer(booking)
    if form.validate_on_submit():
        made = attempt(form, lambda: trips().shares.share(actor, booking_id, form.entered()))
        if made is not None:
            sent = [(one, qr_code(one.fresh_url)) for one in made]
            return render_template("itinerary/shared.html", booking=booking, sent=sent)
    page = render_template("itinerary/share.html", form=form, booking=booking)
    return page, 422 if form.errors else 200


@blueprint.post("/itineraries/<id:share_id>/revoke")
@login_required
def revoke(share_id: str) -> ResponseReturnValue:
    """The link stops working at once."""
    revoked = trips().shares.revoke(current_agent(), share_id)
    flash("The link no longer works.", "done")
    return redirect(url_for("itinerary.show", booking_id=revoked.booking_id) + "#links", 303)


@blueprint.get("/bookings/<id:booking_id>/itinerary/trip.ics")
@login_required
def calendar_file(booking_id: str) -> ResponseReturnValue:
    """The same for calendars."""
    view = trips().itineraries.get(current_agent(), booking_id)
    content = calendar.write(view.booking.title, entries_of(view), changed_at=core().clock.now())
    return download(content, content_type=calendar.CONTENT_TYPE, name=f"{file_name(view.booking.title)}.ics")


def _with_prices() -> bool:
    return request.args.get("prices") == "1"
