"""Pages about many payments: the payment report, a client's payments, the signed authorization as PDF."""

from flask import Blueprint, Response, render_template
from flask.typing import ResponseReturnValue

from services.crm.actor import Actor
from services.crm.clients.service import ClientDetail
from services.crm.panels import Panel
from services.crm.web import current_agent, dependencies, login_required

blueprint = Blueprint("payments", __name__, template_folder="templates", url_prefix="/payments")


@blueprint.get("")
@login_required
def report() -> ResponseReturnValue:
    """M4: all payments of the agent that wait to be processed."""
    payments = dependencies().paying.book.pending(current_agent())
    return render_template("payments/report.html", payments=payments)


@blueprint.get("/<id:payment_id>/authorization/<id:document_id>.pdf")
@login_required
def authorization(payment_id: str, document_id: str) -> ResponseReturnValue:
    """M13: what the client signed, with its evidence page."""
    pdf = dependencies().paying.book.document_pdf(current_agent(), payment_id, document_id)
    response = Response(pdf, mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="signed-authorization-{document_id}.pdf"'
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def client_panel(actor: Actor, client: ClientDetail) -> Panel | None:
    """The payments part of a client's page; nothing while there are none."""
    payments = dependencies().paying.book.of_client(actor, client.id)
    return Panel(template="payments/client_panel.html", data={"payments": payments}) if payments else None
