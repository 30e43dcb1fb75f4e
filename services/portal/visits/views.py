"""The pages of a visit. Looking at its link changes nothing; a click with the token after `#`, or of the client who is
signed in, opens it. What is asked is given on the parts' own pages, which show how far the visit is and lead on."""

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from chassis.web.link_repair import link_token
from services.portal.following import follow
from services.portal.looks import dress_as, origin_of_request
from services.portal.onward import holds_visit, part_url, visit_around
from services.portal.parts import portal
from services.portal.visits.rules import Standing
from services.portal.visits.service import VisitView
from services.portal.web import find_client

blueprint = Blueprint("visits", __name__, template_folder="templates")
_CLOSED = {Standing.EXPIRED, Standing.WITHDRAWN}


@blueprint.get("/visit/<visit_id>")
def landing(visit_id: str) -> BaseResponse:
    """Who asks, for how many things, and one button."""
    visit = _find(visit_id)
    if visit is None:
        return _page("links/unknown.html", 404)
    if visit.standing in _CLOSED:
        return _closed(visit)
    _follow(visit)
    return _page("visits/landing.html", 200, visit=visit, timed_out=portal().access.timed_out())


@blueprint.post("/visit/<visit_id>/open")
def open_visit(visit_id: str) -> BaseResponse:
    """The click."""
    client = find_client()
    opened = portal().visits.open(
        visit_id,
        origin_of_request(),
        token=link_token(request.form.get("token", "")),
        client_id=client.client_id if client else "",
    )
    if opened is None:
        return _wrong_token(visit_id)
    dress_as(opened.agent)
    if opened.standing in _CLOSED:
        return _closed(opened)
    if client is None or client.client_id != opened.client_id:
        portal().access.grant(opened.visit_id, *(part.part_id for part in opened.parts))
    return redirect(url_for("visits.show", visit_id=opened.visit_id), 303)


@blueprint.get("/visit/<visit_id>/all")
def show(visit_id: str) -> BaseResponse:
    """What is asked and how far each part is; at the end, that all is done, with the copies."""
    visit = _find(visit_id)
    if visit is None:
        return _page("links/unknown.html", 404)
    if not holds_visit(visit):
        return redirect(url_for("visits.landing", visit_id=visit.visit_id), 303)
    if visit.standing in _CLOSED:
        return _closed(visit)
    _follow(visit)
    return _page("visits/show.html", 200, visit=visit, client=find_client())


@blueprint.app_context_processor
def _names() -> dict[str, object]:
    """For the parts' own pages, which name no room beside theirs."""
    return {"visit_around": visit_around, "part_url": part_url}


def _find(visit_id: str) -> VisitView | None:
    visit = portal().visits.find(visit_id)
    if visit is not None:
        dress_as(visit.agent)
    return visit


def _follow(visit: VisitView) -> None:
    follow(visit.visit_id, *(part.part_id for part in visit.parts))


def _wrong_token(visit_id: str) -> Response:
    visit = _find(visit_id)
    if visit is None:
        return _page("links/unknown.html", 404)
    if visit.standing in _CLOSED:
        return _closed(visit)
    return _page("links/incomplete.html", 403, link={"request": visit.agent})


def _closed(visit: VisitView) -> Response:
    return _page("visits/closed.html", 410, visit=visit)


def _page(template: str, status: int, **values: object) -> Response:
    return make_response(render_template(template, **values), status)
