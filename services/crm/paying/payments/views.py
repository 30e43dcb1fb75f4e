"""Pages about many payments: the payment report, a client's payments, the signed authorization as PDF."""

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from services.crm.access.saved_views.pages import saved_bar
from services.crm.access.saved_views.service import SavedList
from services.crm.core.actor import Actor
from services.crm.core.addresses import page_number, same_list, typed_text, with_same_filter
from services.crm.core.export import table_response
from services.crm.core.headings import Headings, asked_order
from services.crm.core.panels import Panel
from services.crm.core.web import current_agent, login_required
from services.crm.paying.parts import paying
from services.crm.paying.payments.service import LONGEST_WAITING, PENDING_KEYS, Payment, PendingFilter, PendingSort
from services.crm.sales.clients.service import ClientDetail

blueprint = Blueprint("payments", __name__, template_folder="templates", url_prefix="/payments")


_SORTS = (
    (PendingSort.WAITING, "Longest wait first"),
    (PendingSort.DUE, "By due date"),
    (PendingSort.KEPT, "Card kept shortest"),
    (PendingSort.AMOUNT, "Largest amount first"),
)
_CSV_HEADER = (
    "Client",
    "Booking",
    "Supplier",
    "Type",
    "Currency",
    "Amount",
    "Authorized (UTC)",
    "Due",
    "Card",
    "Card kept until (UTC)",
    "State",
)


@blueprint.get("")
@login_required
def report() -> ResponseReturnValue:
    """M4: all payments of the agent that wait to be processed; filter, order and page stay in the address."""
    wanted = _filter()
    return render_template(
        "payments/report.html",
        page=paying().book.pending_page(current_agent(), wanted, page_number()),
        wanted=wanted,
        sort=(sort := Headings(wanted.order, PENDING_KEYS, LONGEST_WAITING)),
        orders=sort.choices(_SORTS),
        same_list=same_list,
        saved=saved_bar(SavedList.PAYMENTS),
        csv_url=with_same_filter("payments.export"),
    )


@blueprint.get("/payments.xlsx")
@blueprint.get("/payments.csv")
@login_required
def export() -> ResponseReturnValue:
    """The report as the filter shows it."""
    payments = paying().book.export_pending(current_agent(), _filter())
    return table_response("pending-payments", _CSV_HEADER, (_csv_row(payment) for payment in payments))


@blueprint.get("/<id:payment_id>/authorization/<id:document_id>.pdf")
@login_required
def authorization(payment_id: str, document_id: str) -> ResponseReturnValue:
    """M13: what the client signed, with its evidence page."""
    pdf = paying().book.document_pdf(current_agent(), payment_id, document_id)
    response = Response(pdf, mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="signed-authorization-{document_id}.pdf"'
    response.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'; sandbox"
    return response


def client_panel(actor: Actor, client: ClientDetail) -> Panel | None:
    """The payments part of a client's page; nothing while there are none."""
    payments = paying().book.of_client(actor, client.id)
    return Panel(template="payments/client_panel.html", data={"payments": payments}) if payments else None


def _filter() -> PendingFilter:
    shown = request.args.get("shown", "")
    return PendingFilter(
        text=typed_text(),
        shown={"yes": True, "no": False}.get(shown),
        order=asked_order(PendingSort, LONGEST_WAITING),
    )


def _csv_row(payment: Payment) -> tuple[object, ...]:
    return (
        payment.payer_name,
        payment.booking_title,
        payment.supplier_name or "Service fee",
        payment.type_words,
        payment.amount.currency,
        payment.amount.decimal,
        payment.authorized_at,
        payment.due_on,
        payment.card_words,
        payment.card_kept_until if payment.card_held else "Destroyed",
        "Card shown, not closed" if payment.retrieved_at else "Card not shown yet",
    )
