"""The payments of a signed-in client (P8): what is asked of her, what became of each, receipts, signed copies."""

from flask import Blueprint, abort, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response as BaseResponse

from chassis.web.downloads import download
from services.portal.account import client_required, current_client
from services.portal.esign.service import Documents
from services.portal.links.service import Links, LinkStatus
from services.portal.pages import dress, origin_of_request
from services.portal.payments.receipt import RECEIPT_NAME, receipt_of, receipt_pdf
from services.portal.payments.rules import PaymentState
from services.portal.payments.service import Payments, PaymentStatus
from services.portal.payments.status import receipt_page, status_page


class ClientPages:
    """The pages behind sign-in; those behind a link are in views.py."""

    def __init__(self, *, links: Links, payments: Payments, documents: Documents) -> None:
        self._links = links
        self._payments = payments
        self._documents = documents

    def add_to(self, room: Blueprint) -> None:
        """Adds the pages to the room's blueprint."""
        for rule, endpoint, view, methods in (
            ("/payments", "index", self.index, ["GET"]),
            ("/payments/requests/<link_id>", "go_on", self.go_on, ["POST"]),
            ("/payments/<payment_id>", "show", self.show, ["GET"]),
            ("/payments/<payment_id>/authorization.pdf", "own_copy", self.own_copy, ["GET"]),
            ("/payments/<payment_id>/receipt", "own_receipt", self.own_receipt, ["GET"]),
            ("/payments/<payment_id>/receipt.pdf", "own_receipt_pdf", self.own_receipt_pdf, ["GET"]),
        ):
            room.add_url_rule(rule, endpoint, client_required(view), methods=methods)

    def index(self) -> ResponseReturnValue:
        client = current_client()
        return render_template(
            "payments/index.html",
            client=client,
            asked=self._links.asked_of(client.client_id),
            payments=self._payments.list_of_client(client.client_id),
        )

    def go_on(self, link_id: str) -> BaseResponse:
        """Opens what her agent asks, without the e-mail: she has signed in."""
        link = self._links.open_as(current_client().client_id, link_id, origin_of_request())
        if link is None:
            abort(404)
        where = {LinkStatus.OPEN: "payments.authorize", LinkStatus.SUBMITTED: "payments.status"}
        return redirect(url_for(where.get(link.status, "links.landing"), link_id=link_id), 303)

    def show(self, payment_id: str) -> ResponseReturnValue:
        payment = self._own(payment_id)
        return status_page(
            payment,
            copy_url=url_for("payments.own_copy", payment_id=payment_id) if payment.facts.authorized_at else "",
            receipt_url=url_for("payments.own_receipt", payment_id=payment_id),
            signed_in=True,
        )

    def own_copy(self, payment_id: str) -> BaseResponse:
        """What she signed."""
        pdf = self._documents.pdf_of_payment(self._own(payment_id).payment_id)
        if pdf is None:
            abort(404)
        return download(pdf, content_type="application/pdf", name="credit-card-authorization.pdf")

    def own_receipt(self, payment_id: str) -> BaseResponse:
        """What the supplier took, to be printed."""
        payment = self._taken(payment_id)
        pdf_url = url_for("payments.own_receipt_pdf", payment_id=payment_id)
        back = url_for("payments.show", payment_id=payment_id)
        return make_response(receipt_page(payment, pdf_url=pdf_url, back=back))

    def own_receipt_pdf(self, payment_id: str) -> BaseResponse:
        """The same as a download."""
        content = receipt_pdf(receipt_of(self._taken(payment_id)))
        return download(content, content_type="application/pdf", name=RECEIPT_NAME)

    def _own(self, payment_id: str) -> PaymentStatus:
        payment = self._payments.of_client(current_client().client_id, payment_id)
        if payment is None:
            abort(404)
        dress(payment.request)
        return payment

    def _taken(self, payment_id: str) -> PaymentStatus:
        payment = self._own(payment_id)
        if payment.state is not PaymentState.PROCESSED:
            abort(404)
        return payment
