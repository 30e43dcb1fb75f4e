"""The dispute pack as a download, from the payment's page."""

from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue

from chassis.errors import NotFound, WayvaultError
from chassis.web.downloads import download
from services.crm.access.activity.service import Act
from services.crm.access.parts import access
from services.crm.core.origin import request_origin
from services.crm.core.web import current_agent, login_required
from services.crm.office.parts import office

blueprint = Blueprint("dispute_packs", __name__)

_NO_VAULT = "The vault can't be reached, so the pack would lack who handled the card. Try again in a moment."


@blueprint.get("/payments/<id:payment_id>/dispute-pack.pdf")
@login_required
def download_pack(payment_id: str) -> ResponseReturnValue:
    """C19: one file for the bank. That it was made is noted."""
    actor = current_agent()
    try:
        pdf = office().dispute_packs.make(actor, payment_id)
    except NotFound:
        raise
    except WayvaultError:
        flash(_NO_VAULT, "wait")
        return redirect(url_for("payment_page.show", payment_id=payment_id), 303)
    access().activities.note(actor, Act.DISPUTE_PACK_MADE, payment_id, request_origin())
    name = f"dispute-pack-{payment_id.removeprefix('pay_')[:10]}.pdf"
    return download(pdf, content_type="application/pdf", name=name)
