"""The payments of a signed-in client (P8): what is asked of them, what became of each, receipts, signed copies."""

from flask import abort, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response as BaseResponse

from chassis.web.downloads import download
from services.portal.links.service import LinkStatus
from services.portal.looks import dress, origin_of_request
from services.portal.parts import portal
from services.portal.payments.receipt import RECEIPT_NAME, receipt_of, receipt_pdf
from services.portal.payments.rules import PaymentState
from services.portal.payments.service import PaymentStatus
from services.portal.payments.status import receipt_page, status_page
from services.portal.payments.views import blueprint
from services.portal.web import client_required, current_client


@blueprint.get("/payments")
@client_required
def index() -> ResponseReturnValue:
    client = current_client()
    return render_template(
        "payments/index.html",
        client=client,
        asked=portal().links.asked_of(client.client_id),
        payments=portal().payments.list_of_client(client.client_id),
        orders=portal().standing_orders.of_client(client.client_id),
    )


@blueprint.post("/payments/requests/<link_id>")
@client_required
def go_on(link_id: str) -> BaseResponse:
    """Opens what their agent asks, without the e-mail: they have signed in."""
    link = portal().links.open_as(current_client().client_id, link_id, origin_of_request())
    if link is None:
        abort(404)
    where = {LinkStatus.OPEN: "payments.authorize", LinkStatus.SUBMITTED: "payments.status"}
    return redirect(url_for(where.get(link.status, "links.landing"), link_id=link_id), 303)


@blueprint.get("/payments/<payment_id>")
@client_required
def show(payment_id: str) -> ResponseReturnValue:
    payment = _own(payment_id)
    return status_page(
        payment,
        copy_url=url_for("payments.own_copy", payment_id=payment_id) if payment.facts.authorized_at else "",
        receipt_url=url_for("payments.own_receipt", payment_id=payment_id),
        signed_in=True,
    )


@blueprint.get("/payments/<payment_id>/authorization.pdf")
@client_required
def own_copy(payment_id: str) -> BaseResponse:
    """What they signed."""
    pdf = portal().documents.pdf_of_payment(_own(payment_id).payment_id)
    if pdf is None:
        abort(404)
    return download(pdf, content_type="application/pdf", name="credit-card-authorization.pdf")


@blueprint.get("/payments/<payment_id>/receipt")
@client_required
def own_receipt(payment_id: str) -> BaseResponse:
    """What the supplier took, to be printed."""
    payment = _taken(payment_id)
    pdf_url = url_for("payments.own_receipt_pdf", payment_id=payment_id)
    back = url_for("payments.show", payment_id=payment_id)
    return make_response(receipt_page(payment, pdf_url=pdf_url, back=back))


@blueprint.get("/payments/<payment_id>/receipt.pdf")
@client_required
def own_receipt_pdf(payment_id: str) -> BaseResponse:
    """The same as a download."""
    content = receipt_pdf(receipt_of(_taken(payment_id)))
    return download(content, content_type="application/pdf", name=RECEIPT_NAME)


def _own(payment_id: str) -> PaymentStatus:
    payment = portal().payments.of_client(current_client().client_id, payment_id)
    if payment is None:
        abort(404)
    dress(payment.request)
    return payment


def _taken(payment_id: str) -> PaymentStatus:
    payment = _own(payment_id)
    if payment.state is not PaymentState.PROCESSED:
        abort(404)
    return payment
