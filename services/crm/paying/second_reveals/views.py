"""The admins' pages of second reveals: what waits, one request, and the steps of deciding it.

Asking is a form of the payment area (services/crm/paying/payment_page).
"""

from flask import Blueprint, flash, jsonify, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from chassis.errors import PermissionDenied, WayvaultError
from chassis.web.known_devices import known_devices
from services.crm.access.parts import access
from services.crm.core.actor import Actor
from services.crm.core.forms import attempt
from services.crm.core.json_body import ascii_in, json_body
from services.crm.core.origin import request_origin
from services.crm.core.panels import Panel
from services.crm.core.parts import core
from services.crm.core.web import admin_required, current_agent
from services.crm.paying.parts import paying
from services.crm.paying.second_reveals.forms import ProveForm, RefuseForm
from services.crm.paying.second_reveals.rules import proof_holds
from services.crm.paying.second_reveals.service import Asked

blueprint = Blueprint(
    "second_reveals",
    __name__,
    template_folder="templates",
    static_folder="static",
    static_url_path="/static/second-reveals",
    url_prefix="/approvals",
)

_MAX_SEALED = 16_000
_MAX_KEY = 64
_PROOF = "proven"


def dashboard_panel(actor: Actor) -> Panel | None:
    """Tells an admin that an agent, and a supplier, wait for a decision."""
    if not (count := core().waiting.of(actor)["second reveals"]):
        return None
    return Panel(template="second_reveals/dashboard_panel.html", data={"count": count})


@blueprint.get("")
@admin_required
def index() -> ResponseReturnValue:
    """What waits for an approver, and what was decided."""
    actor = current_agent()
    return render_template(
        "second_reveals/index.html",
        asked=paying().second_reveals.asked(actor),
        refunds=paying().refund_approvals.asked(actor),
        policies=access().directory.agency(actor.agency_id).data,
    )


@blueprint.get("/<id:second_id>")
@admin_required
def show(second_id: str) -> ResponseReturnValue:
    return _page(paying().second_reveals.get(current_agent(), second_id))


@blueprint.post("/<id:second_id>/prove")
@admin_required
def prove(second_id: str) -> ResponseReturnValue:
    """Step-up: the admin's own authenticator, once more, for this request alone."""
    actor = current_agent()
    asked = paying().second_reveals.get(actor, second_id)
    form = ProveForm(prefix="prove")
    if form.validate_on_submit() and attempt(form, lambda: _prove(second_id, form.code.data or "")):
        return redirect(url_for("second_reveals.show", second_id=second_id), 303)
    return _page(asked, prove=form), 422


def _prove(second_id: str, code: str) -> bool:
    actor = current_agent()
    paying().second_reveals.to_decide(actor, second_id)
    access().sign_in.demand_proof(actor.agent_id, code, known_devices().visitor(actor.email))
    session = core().sessions.current()
    proof = {"for": second_id, "at": int(core().clock.now().timestamp())}
    core().sessions.replace_data({**(session.data if session else {}), _PROOF: proof})
    return True


@blueprint.post("/<id:second_id>/code")
@admin_required
def send_code(second_id: str) -> ResponseReturnValue:
    """{request_key} → the vault mails the admin their code, {challenge_id, expires_at, …}."""
    _require_proof(second_id)
    sent = paying().second_reveals.send_code(
        current_agent(), second_id, request_key=ascii_in(json_body(), "request_key", _MAX_KEY), origin=request_origin()
    )
    return jsonify(
        challenge_id=sent.challenge_id,
        kind="approve",
        expires_at=sent.expires_at.isoformat(),
        address_hint=sent.address_hint,
    )


@blueprint.post("/<id:second_id>/approve")
@admin_required
def approve(second_id: str) -> ResponseReturnValue:
    """Relays the frame's sealed code: {jwe} → {accepted}. No card comes back."""
    _require_proof(second_id)
    second = paying().second_reveals.approve(
        current_agent(), second_id, sealed_request=ascii_in(json_body(), "jwe", _MAX_SEALED), origin=request_origin()
    )
    return jsonify(accepted=True, good_until=second.ends_at.isoformat())


@blueprint.post("/<id:second_id>/refuse")
@admin_required
def refuse(second_id: str) -> ResponseReturnValue:
    """Says no, with a word to the agent."""
    actor = current_agent()
    asked = paying().second_reveals.get(actor, second_id)
    form = RefuseForm(prefix="refuse")
    if form.validate_on_submit():
        try:
            done = attempt(
                form,
                lambda: paying().second_reveals.refuse(
                    actor, second_id, word=form.word.data or "", origin=request_origin()
                ),
            )
        except PermissionDenied as error:
            form.refuse("", error.message)
            done = None
        if done is not None:
            flash(f"Refused. {asked.agent_name} is told by e-mail.", "done")
            return redirect(url_for("second_reveals.show", second_id=second_id), 303)
    return _page(asked, refuse=form), 422


def _page(asked: Asked, *, prove: ProveForm | None = None, refuse: RefuseForm | None = None) -> str:
    actor = current_agent()
    session = core().sessions.current()
    proven = proof_holds(session.data.get(_PROOF) if session else None, asked.second.id, core().clock.now())
    problem = ""
    try:
        paying().second_reveals.to_decide(actor, asked.second.id)
    except WayvaultError as error:
        problem = error.message
    return render_template(
        "second_reveals/show.html",
        asked=asked,
        second=asked.second,
        payment=asked.payment,
        problem=problem,
        proven=proven,
        prove_form=prove or ProveForm(formdata=None, prefix="prove"),
        refuse_form=refuse or RefuseForm(formdata=None, prefix="refuse"),
    )


def _require_proof(second_id: str) -> None:
    # A foreign request is no page, proof or not.
    paying().second_reveals.get(current_agent(), second_id)
    session = core().sessions.current()
    proven = session.data.get(_PROOF) if session else None
    if not proof_holds(proven, second_id, core().clock.now()):
        raise PermissionDenied("Prove yourself with your authenticator first. Reload the page and type a fresh code.")
