"""The panel of charges is part of the payment area; this blueprint brings its template, and the gateways' door."""

from flask import Blueprint, Flask, abort, request
from flask.typing import ResponseReturnValue

from chassis.errors import InvalidArgument, NotFound, PermissionDenied, WayvaultError
from chassis.web.app import ask_no_form_token
from services.crm.core.actor import Actor
from services.crm.core.panels import Panel
from services.crm.paying.charging.notices import LARGEST
from services.crm.paying.parts import paying

blueprint = Blueprint("charging", __name__, template_folder="templates")


def dashboard_panel(actor: Actor) -> Panel | None:
    """Refunds that failed while their agent was not looking; nothing while there is none."""
    failed = paying().failed_refunds.of(actor)
    return Panel(template="charging/dashboard_panel.html", data={"failed": failed}) if failed else None


def let_gateways_in(app: Flask) -> None:
    """A gateway's message has no session and no token of ours: its signature is what counts, and charging checks it."""
    ask_no_form_token(app, notice)


@blueprint.post("/gateway/<id:agency_id>/notices")
def notice(agency_id: str) -> ResponseReturnValue:
    """G6: a gateway's signed message (webhook). Anything but 2xx has the gateway send it again."""
    signature = request.headers.get("Stripe-Signature", "")[:2_000]
    if not signature:
        return {"taken": False}, 400
    if (request.content_length or 0) > LARGEST:
        abort(413)
    try:
        paying().notices.take(agency_id, request.get_data(), signature)
    except (PermissionDenied, InvalidArgument, NotFound):
        return {"taken": False}, 400
    except WayvaultError:
        return {"taken": False}, 503
    return {"taken": True}
