"""The admins' pages of the gateway: what is set, and the secure frame in which keys are entered."""

from collections.abc import Mapping

import structlog
from flask import Blueprint, flash, jsonify, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from chassis.errors import InvalidArgument, PermissionDenied, WayvaultError
from chassis.web.known_devices import known_devices
from services.crm.access.activity.service import Act
from services.crm.access.parts import access
from services.crm.core.forms import attempt
from services.crm.core.json_body import ascii_in, json_body
from services.crm.core.origin import request_origin
from services.crm.core.parts import core
from services.crm.core.web import admin_required, current_agent
from services.crm.paying.charging.rules import gateway_name
from services.crm.paying.gateway_keys.forms import OpenForm
from services.crm.paying.parts import paying

blueprint = Blueprint(
    "gateway_keys",
    __name__,
    template_folder="templates",
    static_folder="static",
    static_url_path="/static/gateway-keys",
    url_prefix="/agency/gateway",
)
log = structlog.get_logger("crm.gateway")

_MAX_SEALED = 16_000
# Where a session keeps which form it opened.
_SLOT = "gateway_keys"


@blueprint.get("")
@admin_required
def show() -> ResponseReturnValue:
    """Which gateway, test or live, whose account, who entered its keys and when, and the last check."""
    return _page()


@blueprint.post("/check")
@admin_required
def check() -> ResponseReturnValue:
    """Asks the gateway now whether it accepts the key."""
    try:
        found = paying().gateway_keys.check(current_agent())
    except WayvaultError as error:
        flash(error.message, "alert")
    else:
        flash(*((found.check_problem, "alert") if found.check_problem else ("The gateway accepts the key.", "done")))
    return redirect(url_for("gateway_keys.show"), 303)


@blueprint.post("/keys")
@admin_required
def open_keys() -> ResponseReturnValue:
    """G3: step-up, then the secure form."""
    actor, form = current_agent(), OpenForm(prefix="open")
    if not form.validate_on_submit():
        return _page(form), 422
    gateway = form.gateway.data

    def open_entry() -> str:
        access().sign_in.demand_proof(actor.agent_id, form.code.data or "", known_devices().visitor(actor.email))
        try:
            return paying().gateway_keys.open(actor, gateway, origin=request_origin())
        except InvalidArgument:
            raise
        except WayvaultError as error:
            raise InvalidArgument(error.message) from error

    entry_id = attempt(form, open_entry)
    if entry_id is None:
        return _page(form), 422
    session = core().sessions.current()
    core().sessions.replace_data({**(session.data if session else {}), _SLOT: {"id": entry_id, "gateway": gateway}})
    return redirect(url_for("gateway_keys.enter"), 303)


@blueprint.get("/keys")
@admin_required
def enter() -> ResponseReturnValue:
    """The page with the secure form. The form is another site's; this page never sees what is typed."""
    slot = _slot()
    if slot is None:
        return redirect(url_for("gateway_keys.show"), 303)
    shown = paying().gateway_keys.of(current_agent())
    return render_template(
        "gateway_keys/enter.html",
        gateway=slot["gateway"],
        gateway_name=gateway_name(slot["gateway"]),
        lacks=shown.lacks.get(slot["gateway"], ""),
        entry_id=slot["id"],
        present=("live" if shown.gateway.live else "test") if shown.gateway else "",
    )


@blueprint.post("/keys/store")
@admin_required
def store() -> ResponseReturnValue:
    """Relays what the frame sealed: {jwe} → {accepted}, or what charging refuses and at which field."""
    actor, slot = current_agent(), _slot()
    if slot is None:
        raise PermissionDenied("Open the form again: it is opened with a fresh code of your authenticator.")
    sealed = ascii_in(json_body(), "jwe", _MAX_SEALED)
    made = paying().gateway_keys.enter(actor, slot["id"], sealed=sealed, origin=request_origin())
    mode = "live" if made.live else "test"
    log.info("gateway.keys_entered", agency_id=actor.agency_id, by=actor.agent_id, gateway=made.name, mode=mode)
    about = f"{gateway_name(made.name)}, {mode} mode"
    access().activities.note(actor, Act.GATEWAY_KEYS_ENTERED, about, request_origin())
    return jsonify(accepted=True)


def _slot() -> Mapping[str, str] | None:
    """The form that this very session opened last: nobody else's browser can use it."""
    session = core().sessions.current()
    return session.data.get(_SLOT) if session else None


def _page(form: OpenForm | None = None) -> str:
    shown = paying().gateway_keys.of(current_agent())
    chosen = {"gateway": shown.gateway.name} if shown.gateway else {}
    return render_template(
        "gateway_keys/show.html",
        shown=shown,
        gateway=shown.gateway,
        gateway_name=gateway_name(shown.gateway.name) if shown.gateway else "",
        form=form or OpenForm(formdata=None, prefix="open", data=chosen),
    )
