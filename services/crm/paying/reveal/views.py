"""The reveal room's faces: what the payment area's script asks for, and the page of the mailed CVV link."""

from typing import Any

from flask import Blueprint, jsonify, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf

from chassis.web.sessions import passive
from services.crm.core.json_body import ascii_in, json_body
from services.crm.core.origin import request_origin
from services.crm.core.web import current_agent, login_required
from services.crm.paying.parts import paying
from services.crm.paying.reveal.service import CodeSent

blueprint = Blueprint(
    "reveal", __name__, template_folder="templates", static_folder="static", static_url_path="/static/reveal"
)

_MAX_SEALED = 16_000
_MAX_KEY = 64


@blueprint.post("/payments/<id:payment_id>/code")
@login_required
def send_code(payment_id: str) -> ResponseReturnValue:
    """RETRIEVE and PROCESS: {request_key, supplier_ready} → a code is mailed, {challenge_id, expires_at, …}."""
    body = json_body()
    sent = paying().reveals.send_card_code(
        current_agent(),
        payment_id,
        request_key=ascii_in(body, "request_key", _MAX_KEY),
        supplier_ready=body.get("supplier_ready") is True,
        origin=request_origin(),
    )
    return jsonify(_code(sent))


@blueprint.post("/payments/<id:payment_id>/reveal")
@login_required
def show_card(payment_id: str) -> ResponseReturnValue:
    """Relays the frame's sealed code: {jwe} → {jwe}, or the vault's refusal with the attempts left."""
    answer = paying().reveals.reveal(
        current_agent(), payment_id, sealed_request=ascii_in(json_body(), "jwe", _MAX_SEALED), origin=request_origin()
    )
    return jsonify(jwe=answer.sealed_answer)


@blueprint.post("/payments/<id:payment_id>/cvv-code")
@login_required
def send_cvv_code(payment_id: str) -> ResponseReturnValue:
    """Email CVV code: {request_key} → a code is mailed."""
    sent = paying().reveals.send_cvv_code(
        current_agent(), payment_id, request_key=ascii_in(json_body(), "request_key", _MAX_KEY), origin=request_origin()
    )
    return jsonify(_code(sent))


@blueprint.post("/payments/<id:payment_id>/cvv-link")
@login_required
def confirm_cvv(payment_id: str) -> ResponseReturnValue:
    """Relays the frame's sealed CVV code: {challenge_id, jwe} → {accepted, address_hint}; the link is mailed."""
    body = json_body()
    sent = paying().reveals.confirm_cvv(
        current_agent(),
        payment_id,
        challenge_id=ascii_in(body, "challenge_id", _MAX_KEY),
        sealed_request=ascii_in(body, "jwe", _MAX_SEALED),
        origin=request_origin(),
    )
    return jsonify(accepted=True, address_hint=sent.address_hint, expires_at=sent.expires_at.isoformat())


@blueprint.get("/payments/<id:payment_id>/state")
@passive
@login_required
def state(payment_id: str) -> ResponseReturnValue:
    """Where the payment stands, and a fresh form token: for a page that must not be reloaded."""
    payment = paying().book.get(current_agent(), payment_id)
    return jsonify(state=payment.state, cvv_shown=payment.cvv_shown_at is not None, csrf_token=generate_csrf())


@blueprint.get("/cvv")
@login_required
def cvv() -> ResponseReturnValue:
    """The page of the mailed link. Opening it consumes nothing: the token stands after `#`, and a click is needed."""
    return render_template("reveal/cvv.html")


@blueprint.post("/cvv")
@login_required
def show_cvv() -> ResponseReturnValue:
    """Relays the click: {jwe} → {jwe}, and which payment it belongs to."""
    shown = paying().reveals.show_cvv(
        current_agent(), sealed_request=ascii_in(json_body(), "jwe", _MAX_SEALED), origin=request_origin()
    )
    answer: dict[str, Any] = {"jwe": shown.sealed_answer}  # Any: JSON
    if shown.payment is not None:
        answer["payment"] = {
            "id": shown.payment.id,
            "url": url_for("payment_page.show", payment_id=shown.payment.id),
            "what": f"{shown.payment.payer_name}, {shown.payment.card_words}",
        }
    return jsonify(answer)


def _code(sent: CodeSent) -> dict[str, str]:
    return {
        "challenge_id": sent.challenge_id,
        "kind": sent.kind,
        "expires_at": sent.expires_at.isoformat(),
        "address_hint": sent.address_hint,
    }
