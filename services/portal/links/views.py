"""The link page. Looking at it changes nothing; only the button's click, with the token after `#`, opens the link."""

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from chassis.web.link_repair import link_token
from services.portal.following import follow
from services.portal.links.service import LinkStatus, LinkView
from services.portal.looks import dress, origin_of_request
from services.portal.parts import portal

blueprint = Blueprint("links", __name__, template_folder="templates")


@blueprint.get("/")
def start() -> str:
    return render_template("links/start.html")


@blueprint.get("/pay/<link_id>")
def landing(link_id: str) -> BaseResponse:
    """What is asked, and one button."""
    follow(link_id)
    link = portal().links.find(link_id)
    if link is None:
        return _page("links/unknown.html", 404)
    dress(link.request)
    if link.self_service and link.status is not LinkStatus.SUBMITTED:
        # No letter with a token was written yet: only the client's own session leads there.
        return redirect(url_for("trips.show", booking_id=link.request.booking_id), 303)
    return _landing_page(link)


@blueprint.post("/pay/<link_id>/open")
def open_link(link_id: str) -> BaseResponse:
    """The click."""
    token = link_token(request.form.get("token", ""))
    opened = portal().links.open(link_id, token, origin_of_request())
    if opened is None:
        return _wrong_token(portal().links.find(link_id))
    dress(opened.request)
    match opened.status:
        case LinkStatus.OPEN:
            portal().access.grant(link_id)
            return redirect(url_for("payments.authorize", link_id=link_id), 303)
        case LinkStatus.SUBMITTED:
            portal().access.grant(link_id)
            return redirect(url_for("payments.status", link_id=link_id), 303)
        case LinkStatus.EXPIRED | LinkStatus.REVOKED:
            return _landing_page(opened)


def _landing_page(link: LinkView) -> Response:
    match link.status:
        case LinkStatus.OPEN | LinkStatus.SUBMITTED:
            return _page("links/landing.html", 200, link=link, timed_out=portal().access.timed_out())
        case LinkStatus.EXPIRED | LinkStatus.REVOKED:
            return _page("links/closed.html", 410, link=link)


def _wrong_token(link: LinkView | None) -> Response:
    if link is None:
        return _page("links/unknown.html", 404)
    dress(link.request)
    if link.status in (LinkStatus.EXPIRED, LinkStatus.REVOKED):
        return _page("links/closed.html", 410, link=link)
    return _page("links/incomplete.html", 403, link=link)


def _page(template: str, status: int, **values: object) -> Response:
    return make_response(render_template(template, **values), status)
