"""Pages of standing orders: the list of what is ahead, the proposal, one order and what can be done with it."""

import secrets
from collections.abc import Callable, Mapping
from typing import Final

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from chassis.errors import InvalidArgument, PermissionDenied
from chassis.web.formatting import zone
from services.crm.access.parts import access
from services.crm.core.actor import Actor
from services.crm.core.addresses import page_number, same_list, with_same_filter
from services.crm.core.export import table_response
from services.crm.core.forms import attempt
from services.crm.core.headings import Headings, asked_order
from services.crm.core.parts import core
from services.crm.core.web import current_agent, login_required
from services.crm.paying.parts import paying
from services.crm.paying.standing_orders.forms import make_form
from services.crm.paying.standing_orders.service import NEWEST, ORDER_KEYS, OrderSort, StandingOrder
from services.crm.trips.parts import trips

blueprint = Blueprint("standing_orders", __name__, template_folder="templates", url_prefix="/standing-orders")

_HEADER: Final = (
    "Client",
    "E-mail",
    "Booking",
    "For",
    "Currency",
    "Amount",
    "How often",
    "First charge",
    "Number of charges",
    "No charge after",
    "State",
    "Next charge",
    "Charged",
    "Card",
    "Days of notice",
    "Agent",
    "Proposed (UTC)",
    "Signed (UTC)",
    "Ended (UTC)",
    "Note",
    "Test mode",
)


@blueprint.get("")
@login_required
def index() -> ResponseReturnValue:
    """All standing orders, with the day of each one's next charge."""
    order = asked_order(OrderSort, NEWEST)
    return render_template(
        "standing_orders/index.html",
        page=paying().standing_orders.list_page(current_agent(), page_number(), order),
        sort=Headings(order, ORDER_KEYS, NEWEST),
        same_list=same_list,
        csv_url=with_same_filter("standing_orders.export"),
    )


@blueprint.get("/standing-orders.xlsx")
@blueprint.get("/standing-orders.csv")
@login_required
def export() -> ResponseReturnValue:
    """All of them with what is known of each, in the list's order."""
    actor = current_agent()
    names = access().directory.names_in(actor)
    found = paying().standing_orders.export(actor, asked_order(OrderSort, NEWEST))
    return table_response("standing-orders", _HEADER, (_row(order, names) for order in found))


@blueprint.route("/new/<id:booking_id>", methods=["GET", "POST"])
@login_required
def new(booking_id: str) -> ResponseReturnValue:
    """Proposes one to a traveler of a booking; they get a link by which they authorize it."""
    actor = current_agent()
    booking = trips().bookings.get(actor, booking_id)
    if not actor.owns(booking.agent_id):
        raise PermissionDenied("Only the agent who owns this booking can propose a standing order for it.")
    today = core().clock.now().astimezone(zone()).date()
    form = make_form(
        booking,
        request_key=secrets.token_urlsafe(24),
        first_on=today,
        ends="times",
        every="month",
    )
    if (wanted := form.proposal()) is not None:
        made = attempt(form, lambda: paying().standing_orders.propose(actor, booking_id, wanted))
        if made is not None:
            flash(f"The link is on its way to {made.payer_email}. Nothing is charged before it is signed.", "done")
            return _to(made.id)
    why_not = "" if form.is_submitted() else paying().standing_orders.why_not(actor.agency_id)
    page = render_template(
        "standing_orders/new.html",
        form=form,
        booking=booking,
        why_not=why_not,
        live=paying().books.live(actor),
        notice_days=access().directory.agency(actor.agency_id).data.notice_days,
    )
    return page, 422 if form.errors else 200


@blueprint.get("/<id:order_id>")
@login_required
def show(order_id: str) -> ResponseReturnValue:
    """One order: its plan, the days ahead, what was charged."""
    actor, orders = current_agent(), paying().standing_orders
    order = orders.get(actor, order_id)
    return render_template(
        "standing_orders/show.html",
        order=order,
        own=actor.owns(order.agent_id),
        card_left_behind=orders.card_left_behind(order),
        payments=orders.payments_of(order),
    )


@blueprint.post("/<id:order_id>/pause")
@login_required
def pause(order_id: str) -> ResponseReturnValue:
    act = paying().standing_orders.pause
    return _act(order_id, act, "Paused. Nothing is charged until you resume it; both of you get an e-mail.")


@blueprint.post("/<id:order_id>/resume")
@login_required
def resume(order_id: str) -> ResponseReturnValue:
    act = paying().standing_orders.resume
    return _act(order_id, act, "Resumed. The days of the pause are left out.")


@blueprint.post("/<id:order_id>/cancel")
@login_required
def cancel(order_id: str) -> ResponseReturnValue:
    act = paying().standing_orders.cancel
    return _act(order_id, act, "Cancelled. Nothing more is charged, and the gateway is told to forget the card.")


@blueprint.post("/<id:order_id>/card")
@login_required
def ask_for_card(order_id: str) -> ResponseReturnValue:
    act = paying().standing_orders.ask_for_card
    return _act(order_id, act, "The client gets a link by which they give another card for the next charge.")


def _row(order: StandingOrder, names: Mapping[str, str]) -> tuple[object, ...]:
    plan = order.plan
    return (
        order.payer_name,
        order.payer_email,
        order.booking_title,
        order.purpose,
        plan.amount.currency,
        plan.amount.decimal,
        order.every_words,
        plan.first_on,
        plan.times,
        plan.until,
        order.state_words,
        order.next_on,
        order.made,
        order.card_words,
        order.notice_days,
        names.get(order.agent_id, ""),
        order.created_at,
        order.begun_at,
        order.ended_at,
        order.note,
        "yes" if order.live is False else "",
    )


def _act(order_id: str, act: Callable[[Actor, str], StandingOrder], words: str) -> ResponseReturnValue:
    try:
        act(current_agent(), order_id)
        flash(words, "done")
    except InvalidArgument as refused:
        flash(refused.message, "alert")
    return _to(order_id)


def _to(order_id: str) -> ResponseReturnValue:
    return redirect(url_for("standing_orders.show", order_id=order_id), 303)
