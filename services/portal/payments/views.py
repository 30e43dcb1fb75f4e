"""The authorization page, the status page and the signed copy. Parses, calls the service, renders.

The page's script posts the form and reads JSON, so that the card stays in the frame while an address is mended;
the same address answers a plain form post with pages.
"""

import time
from collections.abc import Callable

from flask import Blueprint, Response, abort, jsonify, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from chassis.errors import WayvaultError
from chassis.web.errors import wants_json
from services.portal.access import LinkAccess
from services.portal.esign.service import (
    CONSENT_TEXT,
    Documents,
    Signature,
    SignatureMissing,
    clean_name,
    read_signature,
)
from services.portal.links.service import Links, LinkView, Standing
from services.portal.pages import dress, origin_of_request
from services.portal.payments.forms import AuthorizationForm
from services.portal.payments.intake import Intake
from services.portal.payments.rules import card_gone_at, state_of, timeline
from services.portal.payments.service import Payments
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
    brand_words,
)

# How long a second submission waits for the first, so that it can show its result.
_PATIENCE_SECONDS = 6.0
_LOOK_EVERY_SECONDS = 0.2

_CHANGED = "Your agent changed this request while your page was open. Please reload the page and read it again."
_UNDER_WAY = "Your authorization is being sent already. Please wait a moment."
_TYPE_AGAIN = "Your card did not leave this page, so please enter it once more. Everything else is kept."


class PaymentPages:
    """The room's pages."""

    def __init__(
        self,
        *,
        links: Links,
        payments: Payments,
        documents: Documents,
        access: LinkAccess,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._links = links
        self._payments = payments
        self._documents = documents
        self._access = access
        self._pause = pause

    def blueprint(self) -> Blueprint:
        room = Blueprint(
            "payments",
            __name__,
            template_folder="templates",
            static_folder="../static",
            static_url_path="/static/portal",
        )
        room.add_url_rule("/pay/<link_id>/authorize", "authorize", self.authorize)
        room.add_url_rule("/pay/<link_id>/authorize", "submit", self.submit, methods=["POST"])
        room.add_url_rule("/pay/<link_id>/intake", "intake", self.intake, methods=["POST"])
        room.add_url_rule("/pay/<link_id>/status", "status", self.status)
        room.add_url_rule("/pay/<link_id>/authorization.pdf", "signed_copy", self.signed_copy)
        return room

    def authorize(self, link_id: str) -> BaseResponse:
        """The form, with a slot in the vault opened for it."""
        link = self._held(link_id)
        if not isinstance(link, LinkView):
            return link
        form = AuthorizationForm(data={"offer_digest": link.offer_digest})
        return self._form_page(link, form)

    def intake(self, link_id: str) -> BaseResponse:
        """Another slot, for a page whose slot could not be opened, ran out or was used."""
        link = self._held(link_id)
        if not isinstance(link, LinkView):
            return link
        return jsonify(intake_id=self._payments.open_intake(link, origin_of_request()).intake_id)

    def submit(self, link_id: str) -> BaseResponse:
        """Takes the authorization."""
        link = self._held(link_id)
        if not isinstance(link, LinkView):
            return link
        form = AuthorizationForm()
        valid = bool(form.validate())
        signature, unsigned = self._signature(link)
        if not valid or signature is None:
            return self._refused(link, form, unsigned)
        submission = Submission(
            intake_id=form.intake_id.data or "",
            sealed_card=form.sealed_card.data or "",
            offer_digest=form.offer_digest.data or "",
            address=form.address(),
            signature=signature,
        )
        return self._answer(link, form, self._authorize_patiently(link_id, submission))

    def _authorize_patiently(self, link_id: str, submission: Submission) -> Outcome:
        origin = origin_of_request()
        outcome = self._payments.authorize(link_id, submission, origin)
        waited = 0.0
        while isinstance(outcome, UnderWay) and waited < _PATIENCE_SECONDS:
            self._pause(_LOOK_EVERY_SECONDS)
            waited += _LOOK_EVERY_SECONDS
            link = self._links.find(link_id)
            if link is not None and link.standing is Standing.SUBMITTED:
                outcome = Authorized(again=True)
        return outcome

    def status(self, link_id: str) -> BaseResponse:
        """Where the payment stands, in plain words (M12)."""
        link = self._opened(link_id)
        if not isinstance(link, LinkView):
            return link
        found = self._payments.status(link.request.payment_id)
        if found is None:
            return redirect(url_for("payments.authorize", link_id=link_id), 303)
        return make_response(
            render_template(
                "payments/status.html",
                link=link,
                payment=found,
                state=state_of(found.facts).value,
                card_gone_at=card_gone_at(found.facts),
                entries=timeline(found.facts),
                brand_words=brand_words,
            )
        )

    def signed_copy(self, link_id: str) -> BaseResponse:
        """The signed authorization as a download."""
        link = self._opened(link_id)
        if not isinstance(link, LinkView):
            return link
        pdf = self._documents.pdf_of_payment(link.request.payment_id)
        if pdf is None:
            abort(404)
        response = make_response(pdf)
        response.mimetype = "application/pdf"
        response.headers["Content-Disposition"] = 'attachment; filename="credit-card-authorization.pdf"'
        return response

    def _opened(self, link_id: str) -> LinkView | BaseResponse:
        """The link, when this browser has opened it; else the way back to the link page."""
        link = self._links.find(link_id)
        if link is not None:
            dress(link.request)
            if self._access.holds(link_id):
                return link
        if wants_json():
            message = "This page was open for too long. Please open the link in your e-mail again."
            return _error(403, "SESSION_ENDED", message, next=url_for("links.landing", link_id=link_id))
        return redirect(url_for("links.landing", link_id=link_id), 303)

    def _held(self, link_id: str) -> LinkView | BaseResponse:
        """The link, when it still waits for its client."""
        link = self._opened(link_id)
        if not isinstance(link, LinkView) or link.standing is Standing.OPEN:
            return link
        where = "payments.status" if link.standing is Standing.SUBMITTED else "links.landing"
        return self._go(url_for(where, link_id=link_id))

    def _go(self, address: str) -> BaseResponse:
        return jsonify(next=address) if wants_json() else redirect(address, 303)

    def _signature(self, link: LinkView) -> tuple[Signature | None, str]:
        """The signature, or why there is none."""
        sent = request.form
        try:
            return (
                read_signature(
                    sent.get("signature_kind", ""),
                    text=sent.get("signature_text", ""),
                    image=sent.get("signature_image", ""),
                    payer_name=link.request.payer_name,
                ),
                "",
            )
        except SignatureMissing as missing:
            return None, str(missing)

    def _answer(self, link: LinkView, form: AuthorizationForm, outcome: Outcome) -> BaseResponse:
        match outcome:
            case Authorized():
                return self._go(url_for("payments.status", link_id=link.link_id))
            case LinkClosed():
                return self._go(url_for("links.landing", link_id=link.link_id))
            case CardRefused(field=field, message=message):
                return self._again(link, form, 422, "CARD_INVALID", message, card_field=field)
            case StartOver(message=message, fresh_frame=fresh):
                return self._start_over(link, form, message, fresh)
            case OfferChanged():
                return self._again(link, form, 409, "OFFER_CHANGED", _CHANGED)
            case UnderWay():
                return self._again(link, form, 409, "UNDER_WAY", _UNDER_WAY)
            case NotNow(message=message):
                return self._again(link, form, 503, "UNAVAILABLE", message)

    def _refused(self, link: LinkView, form: AuthorizationForm, unsigned: str) -> BaseResponse:
        fields = {name: str(errors[0]) for name, errors in form.errors.items() if name and errors}
        if unsigned:
            fields["signature"] = unsigned
        if wants_json():
            return _error(422, "FORM_INVALID", "Please check what you entered.", fields=fields)
        return self._form_page(link, form, status=422, unsigned=unsigned, message=_TYPE_AGAIN)

    def _again(
        self, link: LinkView, form: AuthorizationForm, status: int, code: str, message: str, *, card_field: str = ""
    ) -> BaseResponse:
        if wants_json():
            return _error(status, code, message, card_field=card_field)
        return self._form_page(link, form, status=status, message=f"{message} {_TYPE_AGAIN}")

    def _start_over(self, link: LinkView, form: AuthorizationForm, message: str, fresh_frame: bool) -> BaseResponse:
        if not wants_json():
            return self._form_page(link, form, status=409, message=f"{message} {_TYPE_AGAIN}")
        intake, trouble = self._try_intake(link)
        if intake is None:
            return _error(503, "UNAVAILABLE", trouble)
        return _error(409, "START_OVER", message, intake_id=intake.intake_id, fresh_frame=fresh_frame)

    def _try_intake(self, link: LinkView) -> tuple[Intake | None, str]:
        try:
            return self._payments.open_intake(link, origin_of_request()), ""
        except WayvaultError as error:
            return None, error.message

    def _form_page(
        self, link: LinkView, form: AuthorizationForm, *, status: int = 200, unsigned: str = "", message: str = ""
    ) -> Response:
        intake, trouble = self._try_intake(link)
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
            ),
            status,
        )


def _error(status: int, code: str, message: str, **more: object) -> Response:
    next_address = more.pop("next", None)
    body: dict[str, object] = {"error": {"code": code, "message": message, **more}}
    if next_address:
        body["next"] = next_address
    response = jsonify(body)
    response.status_code = status
    return response
