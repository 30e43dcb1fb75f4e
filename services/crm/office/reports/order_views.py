"""The report of what standing orders will charge when (G3, G6)."""

from collections.abc import Mapping
from typing import Final

from flask import render_template
from flask.typing import ResponseReturnValue

from services.crm.access.parts import access
from services.crm.core.actor import Actor
from services.crm.core.addresses import with_same_filter
from services.crm.core.export import table_response
from services.crm.core.web import current_agent, login_required
from services.crm.office.parts import office
from services.crm.office.reports.gateway_views import blueprint
from services.crm.office.reports.rules import next_days
from services.crm.office.reports.service import Wanted
from services.crm.office.reports.views import asked_for, filters
from services.crm.paying.parts import paying
from services.crm.paying.standing_orders.ahead import PlannedCharge

__all__ = ["blueprint"]

_AHEAD_DAYS: Final = 91
# A page of more can't be read; the files have all.
_MOST_SHOWN: Final = 300
_HEADER: Final = (
    "Day",
    "Client",
    "Booking",
    "For",
    "Currency",
    "Amount",
    "State",
    "Number",
    "Of",
    "Card",
    "Agent",
    "Note",
    "Test mode",
)


@blueprint.get("/standing-orders")
@login_required
def orders_ahead() -> ResponseReturnValue:
    """What will be charged when, and what is stalled."""
    actor = current_agent()
    wanted = _asked(actor)
    return render_template(
        "reports/orders_ahead.html",
        ahead=paying().standing_orders.ahead(actor, wanted.period.first, wanted.period.last, agent_id=wanted.agent_id),
        most=_MOST_SHOWN,
        csv_url=with_same_filter("reports.orders_ahead_csv"),
        **filters(actor, wanted, []),
    )


@blueprint.get("/standing-orders.xlsx")
@blueprint.get("/standing-orders.csv")
@login_required
def orders_ahead_csv() -> ResponseReturnValue:
    """Every charge of the time; then, without a day, what is stalled."""
    actor = current_agent()
    wanted, names = _asked(actor), access().directory.names_in(actor)
    ahead = paying().standing_orders.ahead(actor, wanted.period.first, wanted.period.last, agent_id=wanted.agent_id)
    rows = (_row(each, names) for each in (*ahead.charges, *ahead.stalled))
    return table_response("standing-orders-ahead", _HEADER, rows)


def _asked(actor: Actor) -> Wanted:
    return asked_for(actor, next_days(office().reports.today(actor), _AHEAD_DAYS))


def _row(charge: PlannedCharge, names: Mapping[str, str]) -> tuple[object, ...]:
    order = charge.order
    return (
        charge.day,
        order.payer_name,
        order.booking_title,
        order.purpose,
        order.plan.amount.currency,
        order.plan.amount.decimal,
        order.state_words,
        charge.number,
        order.plan.times,
        order.card_words,
        names.get(order.agent_id, ""),
        order.note,
        "yes" if order.live is False else "",
    )
