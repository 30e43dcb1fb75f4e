"""Reports of what was charged through the agency's own gateway: charges with fees and failures, and payouts (G6)."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import render_template
from flask.typing import ResponseReturnValue

from services.crm.core.actor import Actor
from services.crm.core.addresses import with_same_filter
from services.crm.core.export import table_response
from services.crm.core.headings import Headings, asked_order
from services.crm.core.ports.charging import LedgerEntry, PayoutDetail
from services.crm.core.web import admin_required, current_agent, login_required
from services.crm.office.parts import office
from services.crm.office.reports.rules import Span, last_months
from services.crm.office.reports.service import Wanted
from services.crm.office.reports.views import asked_for, blueprint, filters
from services.crm.paying.charging.books import FALLING, NEWEST, ChargeSort
from services.crm.paying.charging.rules import gateway_name
from services.crm.paying.parts import paying
from services.crm.paying.phone.rules import CHARGE_WORDS

__all__ = ["blueprint"]

_CHARGE_HEADER = (
    "Asked",
    "Payment",
    "Agent",
    "State",
    "Why",
    "Currency",
    "Amount",
    "Refunded",
    "Fee",
    "Fee's currency",
    "Gateway",
    "Its number",
    "Test mode",
)
_PAYOUT_HEADER = (
    "Payout",
    "Arrives",
    "State",
    "Currency",
    "Paid out",
    "Does not agree",
    "What",
    "When",
    "Payment",
    "Agent",
    "Gross",
    "Fee",
    "Net",
    "Its number",
    "Line does not agree",
)
_KINDS = {"charge": "Charge", "refund": "Refund", "returned": "Refund that came back"}


@blueprint.get("/charges")
@login_required
def charges() -> ResponseReturnValue:
    """What was asked for, what the gateway kept, what was refunded, what failed and why."""
    actor = current_agent()
    wanted, order = _asked(actor), asked_order(ChargeSort, NEWEST)
    return render_template(
        "reports/charges.html",
        report=paying().books.charges(actor, *_bounds(actor, wanted), agent_id=wanted.agent_id, order=order),
        sort=Headings(order, FALLING, NEWEST),
        state_words=CHARGE_WORDS,
        gateway_name=gateway_name,
        csv_url=with_same_filter("reports.charges_csv"),
        **filters(actor, wanted, []),
    )


@blueprint.get("/charges.xlsx")
@blueprint.get("/charges.csv")
@login_required
def charges_csv() -> ResponseReturnValue:
    """Every line of the page."""
    actor = current_agent()
    wanted = _asked(actor)
    order = asked_order(ChargeSort, NEWEST)
    report = paying().books.charges(actor, *_bounds(actor, wanted), agent_id=wanted.agent_id, order=order)
    names = office().reports.agents(actor)
    rows = (_charge_row(one, report.titles, names) for one in report.entries)
    return table_response("charges", _CHARGE_HEADER, rows)


@blueprint.get("/payouts")
@admin_required
def payouts() -> ResponseReturnValue:
    """What reached the agency's bank, what is in it, and what doesn't agree with our books."""
    actor = current_agent()
    wanted = _asked(actor)
    return render_template(
        "reports/payouts.html",
        report=paying().books.payouts(actor, *_bounds(actor, wanted)),
        live=paying().books.live(actor),
        kinds=_KINDS,
        csv_url=with_same_filter("reports.payouts_csv"),
        **filters(actor, wanted, []) | {"agents": []},
    )


@blueprint.get("/payouts.xlsx")
@blueprint.get("/payouts.csv")
@admin_required
def payouts_csv() -> ResponseReturnValue:
    """Every line of every payout of the page."""
    actor = current_agent()
    report = paying().books.payouts(actor, *_bounds(actor, _asked(actor)))
    names = office().reports.agents(actor)
    rows = (row for payout in report.payouts for row in _payout_rows(payout, report.titles, names))
    return table_response("payouts", _PAYOUT_HEADER, rows)


def _asked(actor: Actor) -> Wanted:
    return asked_for(actor, last_months(office().reports.today(actor), 1))


def _bounds(actor: Actor, wanted: Wanted) -> tuple[datetime, datetime]:
    span = Span(first=wanted.period.first, last=wanted.period.last)
    return span.bounds(ZoneInfo(actor.time_zone))


def _charge_row(entry: LedgerEntry, titles: dict[str, str], names: dict[str, str]) -> tuple[object, ...]:
    charge = entry.charge
    return (
        entry.made_at,
        titles.get(entry.payment_id, ""),
        names.get(entry.agent_id, ""),
        CHARGE_WORDS[charge.state],
        charge.reason,
        charge.currency,
        entry.amount.decimal,
        entry.refunded.decimal,
        entry.fee.decimal if entry.fee else None,
        entry.fee.currency if entry.fee else "",
        gateway_name(charge.gateway),
        charge.reference,
        "" if charge.live else "yes",
    )


def _payout_rows(payout: PayoutDetail, titles: dict[str, str], names: dict[str, str]) -> Iterator[tuple[object, ...]]:
    head = (
        payout.reference,
        payout.arrives_at,
        payout.state,
        payout.amount.currency,
        payout.amount.decimal,
        payout.mismatch,
    )
    if not payout.lines:
        yield (*head, *(None,) * (len(_PAYOUT_HEADER) - len(head)))
    for line in payout.lines:
        yield (
            *head,
            _KINDS.get(line.kind, line.words),
            line.at,
            titles.get(line.payment_id, ""),
            names.get(line.agent_id, ""),
            line.gross.decimal,
            line.fee.decimal,
            line.net.decimal,
            line.reference,
            line.mismatch,
        )
