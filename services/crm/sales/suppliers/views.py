"""Pages of the suppliers' directory: list, form, CSV and XLSX."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from services.crm.core.addresses import page_number, same_list, typed_text, with_same_filter
from services.crm.core.export import table_response
from services.crm.core.forms import attempt
from services.crm.core.headings import Headings, asked_order
from services.crm.core.web import current_agent, login_required
from services.crm.sales.parts import sales
from services.crm.sales.suppliers.forms import SupplierForm, first_values
from services.crm.sales.suppliers.rules import SupplierData
from services.crm.sales.suppliers.service import BY_NAME, SUPPLIER_KEYS, SupplierSort

blueprint = Blueprint("suppliers", __name__, template_folder="templates", url_prefix="/suppliers")

_HEADER = ("Supplier", "Reservations phone", "Payment page", "Cards it takes", "Commission (%)", "Note")


@blueprint.get("")
@login_required
def index() -> ResponseReturnValue:
    """The directory; search and page stay in the address."""
    order = asked_order(SupplierSort, BY_NAME)
    return render_template(
        "suppliers/index.html",
        page=sales().suppliers.list_page(current_agent(), typed_text(), page_number(), order),
        sort=Headings(order, SUPPLIER_KEYS, BY_NAME),
        text=typed_text(),
        same_list=same_list,
        csv_url=with_same_filter("suppliers.export"),
    )


@blueprint.get("/suppliers.xlsx")
@blueprint.get("/suppliers.csv")
@login_required
def export() -> ResponseReturnValue:
    """The list as the search shows it."""
    found = sales().suppliers.export(current_agent(), typed_text(), asked_order(SupplierSort, BY_NAME))
    rows = ((each.name, *_rest(each.data)) for each in found)
    return table_response("suppliers", _HEADER, rows)


@blueprint.route("/new", methods=["GET", "POST"])
@login_required
def new() -> ResponseReturnValue:
    form = SupplierForm(data={"name": typed_text("name")})
    if form.validate_on_submit():
        saved = attempt(form, lambda: sales().suppliers.add(current_agent(), form.entered()))
        if saved is not None:
            flash(f"{saved.name} is in the directory.", "done")
            return redirect(url_for("suppliers.index"), 303)
    return render_template("suppliers/edit.html", form=form, supplier=None), 422 if form.errors else 200


@blueprint.route("/<id:supplier_id>", methods=["GET", "POST"])
@login_required
def edit(supplier_id: str) -> ResponseReturnValue:
    """Every agent of the agency may change what it knows of a supplier."""
    actor, suppliers = current_agent(), sales().suppliers
    supplier = suppliers.get(actor, supplier_id)
    form = SupplierForm(data={**first_values(supplier.data), "version": supplier.version})
    if form.validate_on_submit():
        version = form.version.data or 0
        saved = attempt(form, lambda: suppliers.change(actor, supplier_id, form.entered(), version=version))
        if saved is not None:
            flash(f"{saved.name} is saved.", "done")
            return redirect(url_for("suppliers.index"), 303)
    return render_template("suppliers/edit.html", form=form, supplier=supplier), 422 if form.errors else 200


@blueprint.post("/<id:supplier_id>/remove")
@login_required
def remove(supplier_id: str) -> ResponseReturnValue:
    """Takes it out of the directory. Bookings and payments keep its name."""
    removed = sales().suppliers.remove(current_agent(), supplier_id)
    flash(f"{removed.name} is out of the directory.", "done")
    return redirect(url_for("suppliers.index"), 303)


def _rest(data: SupplierData) -> tuple[object, ...]:
    return data.phone, data.payment_page, data.brands_words, data.commission, data.note
