"""Pages of a signed-in client's standing orders."""

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from services.portal.looks import dress
from services.portal.parts import portal
from services.portal.web import client_required, current_client

blueprint = Blueprint("standing_orders", __name__, template_folder="templates", url_prefix="/payments/standing-orders")


@blueprint.get("/<order_id>")
@client_required
def show(order_id: str) -> ResponseReturnValue:
    """The plan, the next charge, the card; and what the client can do about it."""
    client = current_client()
    order = portal().standing_orders.one_of(client.client_id, order_id)
    if order is None:
        abort(404)
    dress(order.request)
    return render_template("standing_orders/show.html", client=client, order=order)


@blueprint.post("/<order_id>/cancel")
@client_required
def cancel(order_id: str) -> ResponseReturnValue:
    """Ends it from the client's side."""
    if not portal().standing_orders.cancel(current_client().client_id, order_id):
        abort(404)
    flash("Your standing order is being cancelled. You will get an e-mail when that is done, within minutes.", "done")
    return redirect(url_for("standing_orders.show", order_id=order_id), 303)


@blueprint.post("/<order_id>/card")
@client_required
def ask_for_card(order_id: str) -> ResponseReturnValue:
    """Asks for the link by which another card is given."""
    if not portal().standing_orders.ask_for_card(current_client().client_id, order_id):
        abort(404)
    flash("A link to give another card is on its way to you by e-mail.", "done")
    return redirect(url_for("standing_orders.show", order_id=order_id), 303)
