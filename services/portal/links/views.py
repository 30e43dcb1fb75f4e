"""The link page. Looking at it changes nothing; only the button's click, with the token after `#`, opens the link."""

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from chassis.web.link_repair import link_token
from services.portal.access import LinkAccess
from services.portal.links.service import Links, LinkStatus, LinkView
from services.portal.pages import dress, origin_of_request


def link_pages(links: Links, access: LinkAccess) -> Blueprint:
    """The room's pages."""
    room = Blueprint("links", __name__, template_folder="templates")

    @room.get("/")
    def start() -> str:
        return render_template("links/start.html")

    @room.get("/pay/<link_id>")
    def landing(link_id: str) -> BaseResponse:
        link = links.find(link_id)
        if link is None:
            return _page("links/unknown.html", 404)
        dress(link.request)
        if link.self_service and link.status is not LinkStatus.SUBMITTED:
            # No letter with a token was written yet: only the client's own session leads there.
            return redirect(url_for("trips.show", booking_id=link.request.booking_id), 303)
        return _landing(link, access)

    @room.post("/pay/<link_id>/open")
    def open_link(link_id: str) -> BaseResponse:
        token = link_token(request.form.get("token", ""))
        opened = links.open(link_id, token, origin_of_request())
        if opened is None:
            return _wrong_token(links.find(link_id))
        dress(opened.request)
        match opened.status:
            case LinkStatus.OPEN:
                access.grant(link_id)
                return redirect(url_for("payments.authorize", link_id=link_id), 303)
            case LinkStatus.SUBMITTED:
                access.grant(link_id)
                return redirect(url_for("payments.status", link_id=link_id), 303)
            case LinkStatus.EXPIRED | LinkStatus.REVOKED:
                return _landing(opened, access)

    return room


def _landing(link: LinkView, access: LinkAccess) -> Response:
    match link.status:
        case LinkStatus.OPEN | LinkStatus.SUBMITTED:
            return _page("links/landing.html", 200, link=link, timed_out=access.timed_out())
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
