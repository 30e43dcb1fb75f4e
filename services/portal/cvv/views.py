"""The CVV pages. Looking at a link changes nothing; a click with the token after `#` opens it."""

from typing import TypeGuard

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from chassis.cards import brand_words
from chassis.errors import CardGone, CardInvalid, IntakeExpired, IntakeUsed, InvalidArgument, SealBroken, WayvaultError
from chassis.web.link_repair import link_token
from chassis.web.sessions import is_passive
from services.portal.cvv.service import CvvLink, CvvLinkStatus
from services.portal.following import follow
from services.portal.looks import dress, origin_of_request
from services.portal.parts import portal

blueprint = Blueprint(
    "cvv", __name__, template_folder="templates", static_folder="static", static_url_path="/static/cvv"
)

_MAX_SEALED = 16_000
_MAX_ID = 64
_CLOSED = {CvvLinkStatus.EXPIRED, CvvLinkStatus.REPLACED, CvvLinkStatus.CLOSED}


@blueprint.get("/cvv/<link_id>")
def landing(link_id: str) -> BaseResponse:
    """What the link is for, and one button."""
    link = portal().cvv.find(link_id)
    if link is None:
        return _page("links/unknown.html", 404)
    follow(link_id, link.request.payment_id)
    return _landing_page(link)


@blueprint.post("/cvv/<link_id>/open")
def open_link(link_id: str) -> BaseResponse:
    """The click: opens the form."""
    opened = portal().cvv.open(link_id, link_token(request.form.get("token", "")))
    if opened is None:
        return _wrong_token(link_id)
    if opened.status in _CLOSED:
        return _landing_page(opened)
    portal().access.grant(link_id)
    return redirect(url_for("cvv.form", link_id=link_id), 303)


@blueprint.get("/cvv/<link_id>/form")
def form(link_id: str) -> BaseResponse:
    """The form with the secure frame, or what became of it."""
    link = portal().cvv.find(link_id)
    if link is None:
        return _page("links/unknown.html", 404)
    if not portal().access.holds(link_id):
        return redirect(url_for("cvv.landing", link_id=link_id), 303)
    if link.status is not CvvLinkStatus.OPEN:
        return _result(link)
    dress(link.request)
    follow(link_id, link.request.payment_id)
    # A page that looks whether it is still asked for has its slot; another would take that one's place.
    intake_id, trouble = ("", "") if is_passive() else _slot(link)
    return _page("cvv/form.html", 200, link=link, card=_card(link), intake_id=intake_id, trouble=trouble)


@blueprint.post("/cvv/<link_id>/intake")
def intake(link_id: str) -> BaseResponse:
    """A fresh slot for the page's script, when the first one failed: {} → {intake_id}."""
    link, refusal = _held(link_id)
    if link is None:
        return refusal
    intake_id, trouble = _slot(link)
    return jsonify(intake_id=intake_id) if intake_id else _error(503, "UNAVAILABLE", trouble)


@blueprint.post("/cvv/<link_id>/form")
def supply(link_id: str) -> BaseResponse:
    """The sealed CVV: {intake_id, sealed_cvv} → {next}, or what to mend."""
    link, refusal = _held(link_id)
    if link is None:
        return refusal
    body = request.get_json(silent=True)
    intake_id, sealed = (body.get("intake_id"), body.get("sealed_cvv")) if isinstance(body, dict) else (None, None)
    if not _text(intake_id, _MAX_ID) or not _text(sealed, _MAX_SEALED):
        return _error(422, "INVALID_ARGUMENT", "Enter the security code in the secure form, then press the button.")
    try:
        done = portal().cvv.supply(link_id, intake_id=intake_id, sealed_cvv=sealed, origin=origin_of_request())
    except CardInvalid as error:
        return _error(422, "CARD_INVALID", error.message, field=error.field or "cvv")
    except (IntakeExpired, IntakeUsed, SealBroken) as error:
        return _start_over(link, error)
    except CardGone:
        return _error(410, "CARD_GONE", f"{link.request.agent_name} does not need it any more: the card is deleted.")
    except InvalidArgument:
        return _error(422, "INVALID_ARGUMENT", f"It can't be stored. Please call {link.request.agent_name}.")
    except WayvaultError as error:
        return _error(503, "UNAVAILABLE", error.message)
    if done is None or done.status is not CvvLinkStatus.SUPPLIED:
        return _error(410, "LINK_CLOSED", "This link does not work any more.", next=_form_url(link_id))
    return jsonify(next=_form_url(link_id))


def _start_over(link: CvvLink, error: WayvaultError) -> BaseResponse:
    intake_id, trouble = _slot(link)
    if not intake_id:
        return _error(503, "UNAVAILABLE", trouble)
    # A page whose sealing key is too old needs a freshly loaded frame, and the code typed again.
    return _error(409, "START_OVER", error.message, intake_id=intake_id, fresh_frame=isinstance(error, SealBroken))


def _held(link_id: str) -> tuple[CvvLink | None, BaseResponse]:
    """The open link that this browser holds; else None, and the answer that says why not."""
    link = portal().cvv.find(link_id)
    if link is None:
        return None, _error(404, "NOT_FOUND", "We don't know this link.")
    if not portal().access.holds(link_id):
        message = "This page was open for too long. Open the link in your e-mail again."
        return None, _error(403, "SESSION_ENDED", message, next=url_for("cvv.landing", link_id=link_id))
    if link.status is not CvvLinkStatus.OPEN:
        done = "You have given it already." if link.status is CvvLinkStatus.SUPPLIED else "This link is over."
        return None, _error(410, "LINK_CLOSED", done, next=_form_url(link_id))
    dress(link.request)
    return link, _error(500, "INTERNAL", "")


def _slot(link: CvvLink) -> tuple[str, str]:
    try:
        return portal().cvv.slot(link, origin_of_request()), ""
    except CardGone:
        return "", f"{link.request.agent_name} does not need it any more: the card is deleted in the vault."
    except WayvaultError as error:
        return "", error.message


def _landing_page(link: CvvLink) -> Response:
    dress(link.request)
    if link.status in _CLOSED:
        return _page("cvv/closed.html", 410, link=link)
    return _page("cvv/landing.html", 200, link=link, card=_card(link), timed_out=portal().access.timed_out())


def _result(link: CvvLink) -> Response:
    dress(link.request)
    if link.status is CvvLinkStatus.SUPPLIED:
        return _page("cvv/done.html", 200, link=link, card=_card(link))
    return _page("cvv/closed.html", 410, link=link)


def _wrong_token(link_id: str) -> Response:
    link = portal().cvv.find(link_id)
    if link is None:
        return _page("links/unknown.html", 404)
    dress(link.request)
    if link.status in _CLOSED:
        return _page("cvv/closed.html", 410, link=link)
    return _page("links/incomplete.html", 403, link=link)


def _text(value: object, longest: int) -> TypeGuard[str]:
    return isinstance(value, str) and 0 < len(value) <= longest and value.isascii()


def _card(link: CvvLink) -> str:
    return f"{brand_words(link.brand)} ending in {link.last4}"


def _form_url(link_id: str) -> str:
    return url_for("cvv.form", link_id=link_id)


def _page(template: str, status: int, **values: object) -> Response:
    return make_response(render_template(template, **values), status)


def _error(status: int, code: str, message: str, **more: object) -> Response:
    next_address = more.pop("next", None)
    body: dict[str, object] = {"error": {"code": code, "message": message, **more}}
    if next_address:
        body["next"] = next_address
    response = jsonify(body)
    response.status_code = status
    return response
