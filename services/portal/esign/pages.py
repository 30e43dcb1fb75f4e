"""The pages of something to be signed, by the link of an e-mail or signed in: documents and insurance offers.

Looking at a link changes nothing; a click with the token after `#`, or of the client who is signed in, opens it. Beside
them: the signature of a posted form, drawn, typed or on file, wherever the portal asks for one.
"""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from chassis.paper.faces import name_them, unprintable
from chassis.web.drafts import keep_draft
from chassis.web.formatting import day
from chassis.web.forms import BooleanField, Form, required
from chassis.web.link_repair import link_token
from services.portal.esign.service import (
    ON_FILE,
    RequestKind,
    RequestStatus,
    Signature,
    SignatureMissing,
    Signing,
    SignRequest,
    clean_name,
    consent_to_reuse,
    read_signature,
)
from services.portal.following import follow
from services.portal.looks import dress_as, origin_of_request
from services.portal.onward import landing_of, onward
from services.portal.parts import portal
from services.portal.web import find_client

_CLOSED = {RequestStatus.EXPIRED, RequestStatus.WITHDRAWN}


class ConsentForm(Form):
    """The tick. The signature is read beside it. `make_form` gives it its words."""

    consent = BooleanField("", [required("Tick the box to show that you agree.")])


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningRoom:
    """What one kind of request has of its own. `answer` reads the answer to an offer from the form, or notes what is
    missing; a document has none."""

    name: str
    path: str
    kind: RequestKind
    consent_text: str
    read_template: str
    done_template: str
    file_name: str
    form: type[ConsentForm] = ConsentForm
    answer: Callable[[ConsentForm], bool | None] = lambda _: None


class SigningPages:
    """The pages of one kind of request."""

    def __init__(self, room: SigningRoom) -> None:
        self._room = room

    def add_to(self, blueprint: Blueprint) -> None:
        """Adds the pages to the room's blueprint."""
        base = f"/{self._room.path}/<request_id>"
        blueprint.add_url_rule(base, "landing", self.landing)
        blueprint.add_url_rule(f"{base}/open", "open_request", self.open_request, methods=["POST"])
        blueprint.add_url_rule(f"{base}/read", "read", self.read)
        blueprint.add_url_rule(f"{base}/read", "sign", self.sign, methods=["POST"])
        blueprint.add_url_rule(f"{base}/signed.pdf", "signed_copy", self.signed_copy)

    def landing(self, request_id: str) -> BaseResponse:
        """Who asks for what, and one button."""
        follow(request_id)
        asked = self._find(request_id)
        if asked is None:
            return _page("links/unknown.html", 404)
        if asked.status in _CLOSED:
            return self._closed(asked)
        return self._page("esign/landing.html", asked, timed_out=portal().access.timed_out())

    def open_request(self, request_id: str) -> BaseResponse:
        """The click."""
        client = find_client()
        opened = portal().sign_requests.open(
            request_id,
            self._room.kind,
            origin_of_request(),
            token=link_token(request.form.get("token", "")),
            client_id=client.client_id if client else "",
        )
        if opened is None:
            return self._wrong_token(request_id)
        dress_as(opened.agent)
        if opened.status in _CLOSED:
            return self._closed(opened)
        if client is None or client.client_id != opened.client_id:
            portal().access.grant(opened.request_id)
        return redirect(self._url("read", opened), 303)

    def read(self, request_id: str) -> BaseResponse:
        """The text with the place to sign, or what became of it."""
        follow(request_id)
        asked, refusal = self._held(request_id)
        if asked is None:
            return refusal
        return self._as_it_stands(asked)

    def sign(self, request_id: str) -> BaseResponse:
        """Takes the signature."""
        asked, refusal = self._held(request_id)
        if asked is None:
            return refusal
        if asked.status is not RequestStatus.OPEN:
            return redirect(self._url("read", asked), 303)
        form = self._form()
        valid = bool(form.validate())
        answer = self._room.answer(form)
        signature, unsigned = posted_signature(
            client_id=asked.client_id, agency_id=asked.agent.agency_id, name=asked.signer_name
        )
        if not valid or signature is None or form.errors:
            return self._form_page(asked, form, status=422, unsigned=unsigned)
        signing = Signing(signature=signature, origin=origin_of_request(), accepted=answer)
        portal().sign_requests.sign(asked.request_id, self._room.kind, signing)
        return redirect(onward(asked.request_id, self._url("read", asked)), 303)

    def signed_copy(self, request_id: str) -> BaseResponse:
        """The signed PDF as a download."""
        asked, refusal = self._held(request_id)
        if asked is None:
            return refusal
        pdf = portal().documents.pdf_of_request(asked.request_id)
        if pdf is None:
            abort(404)
        return pdf_download(pdf, self._room.file_name)

    def _find(self, request_id: str) -> SignRequest | None:
        asked = portal().sign_requests.find(request_id, self._room.kind)
        if asked is not None:
            dress_as(asked.agent)
        return asked

    def _held(self, request_id: str) -> tuple[SignRequest | None, BaseResponse]:
        """The request, when this browser has opened it or its client is signed in here; else where to go instead."""
        asked = self._find(request_id)
        if asked is None:
            return None, _page("links/unknown.html", 404)
        client = find_client()
        if (client is not None and client.client_id == asked.client_id) or portal().access.holds(asked.request_id):
            return asked, Response()
        if portal().access.held_before(asked.request_id):
            keep_draft(asked.request_id)
        return None, redirect(landing_of(asked.request_id, self._url("landing", asked)), 303)

    def _as_it_stands(self, asked: SignRequest) -> BaseResponse:
        match asked.status:
            case RequestStatus.OPEN:
                return self._form_page(asked, self._form(), status=200)
            case RequestStatus.SIGNED:
                return self._page(self._room.done_template, asked)
            case RequestStatus.EXPIRED | RequestStatus.WITHDRAWN:
                return self._closed(asked)

    def _form(self) -> ConsentForm:
        form = self._room.form()
        form.consent.label.text = self._room.consent_text
        return form

    def _form_page(self, asked: SignRequest, form: ConsentForm, *, status: int, unsigned: str = "") -> Response:
        return self._page(
            self._room.read_template,
            asked,
            status=status,
            form=form,
            unsigned=unsigned,
            typed_signature=clean_name(request.form.get("signature_text", "")),
            no_face=without_face(asked.signer_name, asked.title, asked.booking_title, asked.text),
            **offered_on_file(client_id=asked.client_id, agency_id=asked.agent.agency_id),
        )

    def _wrong_token(self, request_id: str) -> Response:
        asked = self._find(request_id)
        if asked is None:
            return _page("links/unknown.html", 404)
        if asked.status in _CLOSED:
            return self._closed(asked)
        return _page("links/incomplete.html", 403, link={"request": asked.agent})

    def _closed(self, asked: SignRequest) -> Response:
        return self._page("esign/closed.html", asked, status=410)

    def _page(self, template: str, asked: SignRequest, *, status: int = 200, **values: object) -> Response:
        return _page(template, status, asked=asked, room=self._room.name, client=find_client(), **values)

    def _url(self, endpoint: str, asked: SignRequest) -> str:
        return url_for(f"{self._room.name}.{endpoint}", request_id=asked.request_id)


def pdf_download(pdf: bytes, file_name: str) -> Response:
    """A PDF that a browser saves and does not open in the portal's name."""
    response = make_response(pdf)
    response.mimetype = "application/pdf"
    response.headers["Content-Disposition"] = f'attachment; filename="{file_name}"'
    return response


def _page(template: str, status: int, **values: object) -> Response:
    return make_response(render_template(template, **values), status)


def without_face(*texts: str) -> str:
    """The characters of what is to be signed that its PDF can't show, named for the signer; empty when all can."""
    return name_them(unprintable("\n".join(texts)))


def offered_on_file(*, client_id: str, agency_id: str) -> dict[str, object]:
    """What the signature field shows of the signature on file, and the words beside its tick."""
    known = portal().on_file.of(client_id, agency_id)
    return {"on_file": known, "reuse_words": consent_to_reuse(day(known.given_at)) if known else ""}


def posted_signature(*, client_id: str, agency_id: str, name: str) -> tuple[Signature | None, str]:
    """The signature, or why there is none. A drawn one is signed in `name`."""
    sent = request.form
    kind = sent.get("signature_kind", "")
    try:
        if kind == ON_FILE:
            return portal().on_file.reuse(
                client_id,
                agency_id,
                document_id=sent.get("signature_document", "")[:40],
                agreed=bool(sent.get("signature_reuse")),
            ), ""
        return read_signature(
            kind, text=sent.get("signature_text", ""), image=sent.get("signature_image", ""), payer_name=name
        ), ""
    except SignatureMissing as missing:
        return None, str(missing)
