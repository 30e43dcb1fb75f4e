"""The authorization page, the status page and the signed copy. Parses, calls the service, renders.

The page's script posts the form and reads JSON, so that the card stays in the frame while an address is mended;
the same address answers a plain form post with pages.
"""

from flask import Blueprint, Response, abort, flash, jsonify, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from chassis.errors import NotFound, WayvaultError
from chassis.web.downloads import download
from chassis.web.drafts import keep_draft
from chassis.web.errors import wants_json
from chassis.web.formatting import country_of_zone
from chassis.web.sessions import is_passive
from services.portal.esign.pages import offered_on_file, posted_signature, without_face
from services.portal.esign.service import (
    CONSENT_TEXT,
    clean_name,
)
from services.portal.following import follow
from services.portal.links.service import LinkStatus, LinkView
from services.portal.looks import dress, origin_of_request
from services.portal.onward import landing_of, onward
from services.portal.parts import portal
from services.portal.payments.forms import AuthorizationForm
from services.portal.payments.intake import Intake
from services.portal.payments.receipt import RECEIPT_NAME, receipt_of
from services.portal.payments.receipt import receipt_pdf as write_receipt
from services.portal.payments.record import request_facts
from services.portal.payments.rules import PaymentState
from services.portal.payments.service import PaymentStatus
from services.portal.payments.status import receipt_page, status_page
from services.portal.payments.values import (
    Authorized,
    CardRefused,
    LinkClosed,
    NotNow,
    OfferChanged,
    Outcome,
    StartOver,
    Submission,
    UnderWay,
)
from services.portal.profile.rules import Address
from services.portal.web import find_client

blueprint = Blueprint(
    "payments",
    __name__,
    template_folder="templates",
    static_folder="../static",
    static_url_path="/static/portal",
)

_CHANGED = "Your agent changed this request while your page was open. Please reload the page and read it again."
_SIGNED_OUT = (
    "To keep you safe you were signed out after 15 minutes without activity. Sign in again in another tab, then "
    "come back and press the button: nothing you typed here is lost."
)
_TOO_LONG = "This page was open for too long. Please open the link in your e-mail again."
_TYPED_STAYS = " What you typed will stand there; only the card is asked for once more."
_UNDER_WAY = "Your authorization is being sent already. Please wait a moment."
_NOT_SENT = "Your authorization did not go through. Nothing was charged; please press the button again."
_TYPE_AGAIN = "Your card did not leave this page, so please enter it once more. Everything else is kept."


@blueprint.get("/pay/<link_id>/authorize")
def authorize(link_id: str) -> BaseResponse:
    """The form, with a slot in the vault opened for it."""
    follow(link_id)
    link = _held(link_id)
    if not isinstance(link, LinkView):
        return link
    form = AuthorizationForm(data={"offer_digest": link.offer_digest, **_known_address(link)})
    return _form_page(link, form)


def _known_address(link: LinkView) -> dict[str, str]:
    """What the client need not type: the address of their profile; without one, the agency's country."""
    try:
        known = portal().profiles.get(link.client_id).profile.address
    except NotFound:
        known = Address()
    if not known.street:
        return {"country": known.country or country_of_zone(link.request.time_zone)}
    return {
        "line1": known.street,
        "city": known.city,
        "region": known.region,
        "postal_code": known.postal_code,
        "country": known.country,
    }


@blueprint.get("/confirmed/<payment_id>")
def confirmed(payment_id: str) -> BaseResponse:
    """Where a client comes back to from their bank's or the gateway's page; it follows by itself until the payment is
    done. It tells nothing that the address alone should not tell: no name, no amount."""
    refused = request.args.get("redirect_status") == "failed"
    if not refused:
        follow(payment_id)
    payment = portal().payments.status(payment_id)
    if payment is not None:
        dress(payment.request)
    done = payment is not None and payment.state is PaymentState.PROCESSED
    test_mode = payment is not None and payment.facts.test_mode
    return make_response(render_template("payments/confirmed.html", done=done, refused=refused, test_mode=test_mode))


@blueprint.post("/pay/<link_id>/intake")
def intake(link_id: str) -> BaseResponse:
    """Another slot, for a page whose slot could not be opened, ran out or was used."""
    link = _held(link_id)
    if not isinstance(link, LinkView):
        return link
    return jsonify(intake_id=portal().payments.open_intake(link, origin_of_request()).intake_id)


@blueprint.post("/pay/<link_id>/authorize")
def submit(link_id: str) -> BaseResponse:
    """Takes the authorization."""
    link = _held(link_id)
    if not isinstance(link, LinkView):
        return link
    form = AuthorizationForm()
    valid = bool(form.validate())
    signature, unsigned = posted_signature(
        client_id=link.client_id, agency_id=link.request.agency_id, name=link.request.payer_name
    )
    if not valid or signature is None:
        return _refused(link, form, unsigned)
    if link.self_service and (refusal := portal().own_payments.refusal(link)):
        return _again(link, form, 409, "OFFER_CHANGED", refusal)
    submission = Submission(
        intake_id=form.intake_id.data or "",
        sealed_card=form.sealed_card.data or "",
        offer_digest=form.offer_digest.data or "",
        address=form.address(),
        signature=signature,
    )
    return _answer(link, form, portal().payments.authorize(link_id, submission, origin_of_request()))


@blueprint.get("/pay/<link_id>/outcome")
def outcome(link_id: str) -> BaseResponse:
    """What became of the submission that is under way, for the page that asks again and again."""
    link = _held(link_id)
    if not isinstance(link, LinkView):
        return link
    if portal().links.is_under_way(link_id):
        return _under_way(link)
    return _error(409, "NOT_SENT", _NOT_SENT)


@blueprint.get("/pay/<link_id>/status")
def status(link_id: str) -> BaseResponse:
    """Where the payment stands, in plain words (M12)."""
    link = _opened(link_id)
    if not isinstance(link, LinkView):
        return link
    follow(link_id, link.request.payment_id)
    found = portal().payments.status(link.request.payment_id)
    if found is None:
        return redirect(url_for("payments.authorize", link_id=link_id), 303)
    return make_response(
        status_page(
            found,
            copy_url=url_for("payments.signed_copy", link_id=link_id),
            receipt_url=url_for("payments.receipt", link_id=link_id),
        )
    )


@blueprint.get("/pay/<link_id>/receipt")
def receipt(link_id: str) -> BaseResponse:
    """What the supplier took, to be printed."""
    found = _taken(link_id)
    if not isinstance(found, PaymentStatus):
        return found
    pdf_url = url_for("payments.receipt_pdf", link_id=link_id)
    back = url_for("payments.status", link_id=link_id)
    return make_response(receipt_page(found, pdf_url=pdf_url, back=back))


@blueprint.get("/pay/<link_id>/receipt.pdf")
def receipt_pdf(link_id: str) -> BaseResponse:
    """The same as a download."""
    found = _taken(link_id)
    if not isinstance(found, PaymentStatus):
        return found
    return download(write_receipt(receipt_of(found)), content_type="application/pdf", name=RECEIPT_NAME)


def _taken(link_id: str) -> PaymentStatus | BaseResponse:
    """The payment, when the supplier has taken it; else 404."""
    link = _opened(link_id)
    if not isinstance(link, LinkView):
        return link
    found = portal().payments.status(link.request.payment_id)
    if found is None or found.state is not PaymentState.PROCESSED:
        abort(404)
    return found


@blueprint.get("/pay/<link_id>/authorization.pdf")
def signed_copy(link_id: str) -> BaseResponse:
    """The signed authorization as a download."""
    link = _opened(link_id)
    if not isinstance(link, LinkView):
        return link
    pdf = portal().documents.pdf_of_payment(link.request.payment_id)
    if pdf is None:
        abort(404)
    return download(pdf, content_type="application/pdf", name="credit-card-authorization.pdf")


def _opened(link_id: str) -> LinkView | BaseResponse:
    """The link, when this browser has opened it or the client who is to pay has signed in in it; else the way to
    the link page, or to sign-in for what only a signed-in client can do."""
    link = portal().links.find(link_id)
    if link is not None:
        dress(link.request)
        client = find_client()
        if client is not None and client.client_id == link.client_id:
            return link
        if portal().access.holds(link_id) and not (link.self_service and link.status is LinkStatus.OPEN):
            return link
    if link is not None and link.self_service and link.status is not LinkStatus.SUBMITTED:
        return _sign_in(link)
    landing = landing_of(link_id, url_for("links.landing", link_id=link_id))
    keeps = portal().access.held_before(link_id)
    if keeps:
        keep_draft(link_id)
    if wants_json():
        return _error(403, "SESSION_ENDED", _TOO_LONG + (_TYPED_STAYS if keeps else ""), next=landing)
    return redirect(landing, 303)


def _sign_in(link: LinkView) -> BaseResponse:
    if find_client() is not None:
        abort(404)
    back = url_for("account.sign_in", next=url_for("payments.authorize", link_id=link.link_id))
    if wants_json():
        return _error(403, "SIGNED_OUT", _SIGNED_OUT, next=back)
    return redirect(back, 303)


def _held(link_id: str) -> LinkView | BaseResponse:
    """The link, when it still waits for its client."""
    link = _opened(link_id)
    if not isinstance(link, LinkView) or link.status is LinkStatus.OPEN:
        return link
    where = "payments.status" if link.status is LinkStatus.SUBMITTED else "links.landing"
    if link.self_service and link.status is LinkStatus.EXPIRED:
        flash("That payment waited too long, so it was closed. Nothing was charged; you can start again.", "info")
    return _go(url_for(where, link_id=link_id))


def _go(address: str) -> BaseResponse:
    return jsonify(next=address) if wants_json() else redirect(address, 303)


def _answer(link: LinkView, form: AuthorizationForm, outcome: Outcome) -> BaseResponse:
    match outcome:
        case Authorized():
            return _go(onward(link.link_id, url_for("payments.status", link_id=link.link_id)))
        case LinkClosed():
            return _go(url_for("links.landing", link_id=link.link_id))
        case CardRefused(field=field, message=message):
            return _again(link, form, 422, "CARD_INVALID", message, card_field=field)
        case StartOver(message=message, fresh_frame=fresh):
            return _start_over(link, form, message, fresh)
        case OfferChanged():
            return _again(link, form, 409, "OFFER_CHANGED", _CHANGED)
        case UnderWay():
            return _under_way(link) if wants_json() else _again(link, form, 409, "UNDER_WAY", _UNDER_WAY)
        case NotNow(message=message):
            return _again(link, form, 503, "UNAVAILABLE", message)


def _refused(link: LinkView, form: AuthorizationForm, unsigned: str) -> BaseResponse:
    fields = {name: str(errors[0]) for name, errors in form.errors.items() if name and errors}
    if unsigned:
        fields["signature"] = unsigned
    if wants_json():
        return _error(422, "FORM_INVALID", "Please check what you entered.", fields=fields)
    return _form_page(link, form, status=422, unsigned=unsigned, message=_TYPE_AGAIN)


def _again(
    link: LinkView, form: AuthorizationForm, status: int, code: str, message: str, *, card_field: str = ""
) -> BaseResponse:
    if wants_json():
        return _error(status, code, message, card_field=card_field)
    return _form_page(link, form, status=status, message=f"{message} {_TYPE_AGAIN}")


def _start_over(link: LinkView, form: AuthorizationForm, message: str, fresh_frame: bool) -> BaseResponse:
    if not wants_json():
        return _form_page(link, form, status=409, message=f"{message} {_TYPE_AGAIN}")
    intake, trouble = _try_intake(link)
    if intake is None:
        return _error(503, "UNAVAILABLE", trouble)
    return _error(409, "START_OVER", message, intake_id=intake.intake_id, fresh_frame=fresh_frame)


def _try_intake(link: LinkView) -> tuple[Intake | None, str]:
    try:
        return portal().payments.open_intake(link, origin_of_request()), ""
    except WayvaultError as error:
        return None, error.message


def _form_page(
    link: LinkView, form: AuthorizationForm, *, status: int = 200, unsigned: str = "", message: str = ""
) -> Response:
    # A page that looks whether it is still asked for has its slot.
    intake, trouble = (None, "") if is_passive() else _try_intake(link)
    form.offer_digest.data = link.offer_digest
    form.sealed_card.data = ""
    return make_response(
        render_template(
            "payments/authorize.html",
            link=link,
            form=form,
            intake_id=intake.intake_id if intake else "",
            trouble=trouble,
            unsigned=unsigned,
            message=message,
            typed_signature=clean_name(request.form.get("signature_text", "")),
            consent_text=CONSENT_TEXT,
            no_face=without_face(
                *(text for _, text in request_facts(link.request)), link.request.agency_name, link.terms_text
            ),
            **offered_on_file(client_id=link.client_id, agency_id=link.request.agency_id),
        ),
        status,
    )


def _under_way(link: LinkView) -> Response:
    """Another click or window was first, and is being worked on: the page asks what became of it."""
    response = jsonify(under_way=True, ask=url_for("payments.outcome", link_id=link.link_id))
    response.status_code = 202
    return response


def _error(status: int, code: str, message: str, **more: object) -> Response:
    next_address = more.pop("next", None)
    body: dict[str, object] = {"error": {"code": code, "message": message, **more}}
    if next_address:
        body["next"] = next_address
    response = jsonify(body)
    response.status_code = status
    return response
