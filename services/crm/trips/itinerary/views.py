"""Pages of the itinerary: page (made to be printed), PDF, calendar file."""

import re

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from chassis import calendar
from chassis.paper.itinerary import pdf
from chassis.web.downloads import download
from services.crm.core.web import current_agent, login_required
from services.crm.trips.itinerary.service import KIND_WORDS, dates_of, entries_of, fee_words, printed
from services.crm.trips.parts import trips

blueprint = Blueprint(
    "itinerary",
    __name__,
    template_folder="templates",
    static_folder="static",
    static_url_path="/static/itinerary",
)

_KIND_ICONS = {
    "cruise": "ship",
    "hotel": "bed-double",
    "tour": "map",
    "flight": "plane",
    "car": "car",
    "insurance": "shield",
    "other": "ticket",
}


@blueprint.get("/bookings/<id:booking_id>/itinerary")
@login_required
def show(booking_id: str) -> ResponseReturnValue:
    """C5: the trip as the client reads it."""
    view = trips().itineraries.get(current_agent(), booking_id)
    stops = [(segment, dates_of(segment)) for segment in view.booking.active_segments]
    return render_template(
        "itinerary/show.html",
        view=view,
        booking=view.booking,
        stops=stops,
        kinds=KIND_WORDS,
        kind_icons=_KIND_ICONS,
        fee=fee_words(view.booking),
    )


@blueprint.get("/bookings/<id:booking_id>/itinerary/trip.pdf")
@login_required
def paper(booking_id: str) -> ResponseReturnValue:
    """The same on paper."""
    view = trips().itineraries.get(current_agent(), booking_id)
    return download(pdf(printed(view)), content_type="application/pdf", name=f"{_file_name(view.booking.title)}.pdf")


@blueprint.get("/bookings/<id:booking_id>/itinerary/trip.ics")
@login_required
def calendar_file(booking_id: str) -> ResponseReturnValue:
    """The same for calendars."""
    view = trips().itineraries.get(current_agent(), booking_id)
    content = calendar.write(view.booking.title, entries_of(view), changed_at=view.booking.updated_at)
    return download(content, content_type=calendar.CONTENT_TYPE, name=f"{_file_name(view.booking.title)}.ics")


def _file_name(title: str) -> str:
    """A name for a download that every system takes."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60] or "trip"
