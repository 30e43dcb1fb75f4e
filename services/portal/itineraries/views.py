"""Pages of a shared itinerary. The link's page opens by a click with the token after `#`; nothing here takes a card,
and no page is to be found by search or to tell its address to another site."""

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from chassis import calendar
from chassis.paper.itinerary import pdf
from chassis.web.downloads import download, file_name
from chassis.web.link_repair import link_token
from services.portal.following import follow
from services.portal.itineraries.service import ItineraryLink, LinkStatus, SharedTrip
from services.portal.looks import dress_as
from services.portal.parts import portal
from services.portal.trips.calendar import stays_of
from services.portal.trips.itinerary import fee_words, plan_of, printed, total_words

blueprint = Blueprint("itineraries", __name__, template_folder="templates")


@blueprint.get("/itinerary/<share_id>")
def landing(share_id: str) -> BaseResponse:
    """Whose trip it is, and one button."""
    link = _find(share_id)
    if link is None:
        return _page("links/unknown.html", 404)
    if link.status is not LinkStatus.OPEN:
        return _closed(link)
    return _page("itineraries/landing.html", 200, link=link, timed_out=portal().access.timed_out())


@blueprint.post("/itinerary/<share_id>/open")
def open_link(share_id: str) -> BaseResponse:
    """The click."""
    link = _find(share_id)
    if link is None:
        return _page("links/unknown.html", 404)
    if link.status is not LinkStatus.OPEN:
        return _closed(link)
    if not portal().itineraries.is_token(share_id, link_token(request.form.get("token", ""))):
        return _page("itineraries/incomplete.html", 403, link=link)
    portal().access.grant(link.share_id)
    return redirect(url_for("itineraries.trip", share_id=link.share_id), 303)


@blueprint.get("/itinerary/<share_id>/trip")
def trip(share_id: str) -> BaseResponse:
    """The trip day by day."""
    shared, refusal = _held(share_id)
    if shared is None:
        return refusal
    prices = shared.link.with_prices
    return _page(
        "itineraries/trip.html",
        200,
        link=shared.link,
        view=shared.view,
        trip=shared.view.trip,
        plan=plan_of(shared.view.trip, with_prices=prices),
        fee=fee_words(shared.view.trip),
        total=total_words(shared.view.trip) if prices else "",
        documents=shared.documents,
    )


@blueprint.get("/itinerary/<share_id>/trip.pdf")
def paper(share_id: str) -> BaseResponse:
    """The same on paper."""
    shared, refusal = _held(share_id)
    if shared is None:
        return refusal
    content = pdf(printed(shared.view, documents=shared.documents, with_prices=shared.link.with_prices))
    return download(content, content_type="application/pdf", name=f"{file_name(shared.view.trip.title)}.pdf")


@blueprint.get("/itinerary/<share_id>/trip.ics")
def calendar_file(share_id: str) -> BaseResponse:
    """The days of the trip for a calendar; what is due when is its travelers' alone."""
    shared, refusal = _held(share_id)
    if shared is None:
        return refusal
    content = calendar.write(shared.view.trip.title, stays_of(shared.view), changed_at=shared.view.saved_at)
    return download(content, content_type=calendar.CONTENT_TYPE, name=f"{file_name(shared.view.trip.title)}.ics")


def _find(share_id: str) -> ItineraryLink | None:
    link = portal().itineraries.find(share_id)
    if link is not None:
        dress_as(link.agent)
    return link


def _held(share_id: str) -> tuple[SharedTrip | None, BaseResponse]:
    """The trip, for a browser that has opened its link, else the answer in its place."""
    link = _find(share_id)
    if link is None:
        return None, _page("links/unknown.html", 404)
    if link.status is not LinkStatus.OPEN:
        return None, _closed(link)
    to_landing = redirect(url_for("itineraries.landing", share_id=share_id), 303)
    if not portal().access.holds(link.share_id):
        return None, to_landing
    follow(link.share_id, link.booking_id)
    shared = portal().itineraries.trip(link)
    return (shared, to_landing) if shared is not None else (None, _page("itineraries/soon.html", 404, link=link))


def _closed(link: ItineraryLink) -> Response:
    return _page("itineraries/closed.html", 410, link=link)


def _page(template: str, status: int, **values: object) -> Response:
    return make_response(render_template(template, **values), status)


def _keep_private(response: Response) -> Response:
    """No search engine keeps these pages, and no other site learns their addresses."""
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


blueprint.after_request(_keep_private)
