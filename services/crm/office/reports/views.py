"""Pages of reports, each on screen, as CSV and fit for paper; and noting a commission that came in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from babel.dates import format_date
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from chassis.money import Money
from chassis.typed.names import title_key
from chassis.web.formatting import LOCALE, currency_choices, short_day
from services.crm.access.parts import access
from services.crm.core.actor import Actor
from services.crm.core.addresses import page_number, same_list, with_same_filter
from services.crm.core.export import table_response
from services.crm.core.forms import attempt
from services.crm.core.headings import Headings, asked_order
from services.crm.core.web import current_agent, login_required
from services.crm.office.parts import office
from services.crm.office.reports.chart import Chart, Series, draw
from services.crm.office.reports.commissions import COMMISSION_KEYS, FIRST_TRIP, CommissionLine, CommissionSort
from services.crm.office.reports.forms import ReceiptForm
from services.crm.office.reports.rules import (
    CommissionState,
    Period,
    Span,
    around,
    asked_period,
    last_months,
    next_days,
)
from services.crm.office.reports.service import BY_DATE, DUE_KEYS, DueLine, DueSort, Figure, Wanted
from services.crm.trips.bookings.service import DUE_WORDS

blueprint = Blueprint(
    "reports",
    __name__,
    template_folder="templates",
    static_folder="static",
    static_url_path="/static/reports",
    url_prefix="/reports",
)

Currencies = Callable[[Actor, str], list[str]]

_WIDTHS = {"wide": 860, "narrow": 340}
_CURRENCIES = tuple(code for code, _ in currency_choices())
_STATES = (("All", ""), ("Outstanding", "outstanding"), ("Received", "received"))
_DUE_DAYS = 30
_COMMISSION_HEADER = (
    "Begins",
    "Booking",
    "Supplier",
    "Confirmation",
    "Currency",
    "Expected",
    "Received",
    "Outstanding",
    "Agent",
)


@blueprint.get("")
@login_required
def index() -> ResponseReturnValue:
    """Which reports there are."""
    return render_template("reports/index.html", may_see_payouts=current_agent().is_admin)


@blueprint.get("/processed")
@login_required
def processed() -> ResponseReturnValue:
    """Processed payments by month."""
    actor = current_agent()
    wanted, offered = _asked(actor, last_months(_today(actor), 12), _payment_currencies)
    figures = office().reports.processed(actor, wanted)
    return render_template(
        "reports/processed.html",
        figures=figures,
        total=_total(figures, wanted),
        count=sum(figure.count for figure in figures),
        charts=_money_charts([_month(figure.span) for figure in figures], {"Processed": _amounts(figures)}),
        month=_month,
        csv_url=with_same_filter("reports.processed_csv"),
        **filters(actor, wanted, offered),
    )


@blueprint.get("/processed.xlsx")
@blueprint.get("/processed.csv")
@login_required
def processed_csv() -> ResponseReturnValue:
    """The months as the page shows them."""
    actor = current_agent()
    wanted, _ = _asked(actor, last_months(_today(actor), 12), _payment_currencies)
    figures = office().reports.processed(actor, wanted)
    rows = ((each.span.first, each.span.last, each.count, wanted.currency, each.amount.decimal) for each in figures)
    return table_response("processed-payments", ("From", "To", "Payments", "Currency", "Amount"), rows)


@blueprint.get("/due")
@login_required
def due() -> ResponseReturnValue:
    """What is still to be paid, by date."""
    actor, reports = current_agent(), office().reports
    wanted, offered = _asked(actor, next_days(_today(actor), _DUE_DAYS), _booking_currencies)
    order = asked_order(DueSort, BY_DATE)
    word, figures = reports.due_figures(actor, wanted)
    count = sum(figure.count for figure in figures)
    labels = [short_day(figure.span.first) if word == "week" else _month(figure.span) for figure in figures]
    return render_template(
        "reports/due.html",
        page=reports.due_page(actor, wanted, page_number(), total=count, order=order),
        sort=Headings(order, DUE_KEYS, BY_DATE),
        figures=figures,
        word=word,
        total=_total(figures, wanted),
        count=count,
        charts=_money_charts(labels, {"Open": _amounts(figures)}),
        kinds=DUE_WORDS,
        own_id=current_agent().agent_id,
        today=_today(actor),
        same_list=same_list,
        csv_url=with_same_filter("reports.due_csv"),
        **filters(actor, wanted, offered),
    )


@blueprint.get("/due.xlsx")
@blueprint.get("/due.csv")
@login_required
def due_csv() -> ResponseReturnValue:
    """Every line of the page."""
    actor = current_agent()
    wanted, _ = _asked(actor, next_days(_today(actor), _DUE_DAYS), _booking_currencies)
    names = access().directory.names_in(actor)
    header = ("Due", "What", "Booking", "Supplier", "Currency", "Amount", "Open", "Agent")
    lines = office().reports.due_export(actor, wanted, asked_order(DueSort, BY_DATE))
    return table_response("payments-due", header, (_due_row(line, names) for line in lines))


@blueprint.get("/commissions")
@login_required
def commissions() -> ResponseReturnValue:
    """Expected and received, by the month in which the trips begin."""
    actor = current_agent()
    wanted, offered = _asked(actor, around(_today(actor), 3, 2), _booking_currencies)
    found = office().commissions.by_month(actor, wanted)
    state, order = _state(), asked_order(CommissionSort, FIRST_TRIP)
    expected = [each.expected for _, each in found]
    received = [each.received for _, each in found]
    rows = [
        (_month(span), *(_money(minor, wanted) for minor in (each.expected, each.received, each.outstanding)))
        for span, each in found
    ]
    return render_template(
        "reports/commissions.html",
        rows=rows,
        total_expected=_money(sum(expected), wanted),
        total_received=_money(sum(received), wanted),
        total_outstanding=_money(sum(each.outstanding for _, each in found), wanted),
        charts=_money_charts(
            [_month(span) for span, _ in found],
            {
                "Expected": [_money(minor, wanted) for minor in expected],
                "Received": [_money(minor, wanted) for minor in received],
            },
        ),
        page=office().commissions.list_page(actor, wanted, state, page_number(), order),
        sort=Headings(order, COMMISSION_KEYS, FIRST_TRIP),
        chips=[(label, same_list(state=value), (state.value if state else "") == value) for label, value in _STATES],
        same_list=same_list,
        csv_url=with_same_filter("reports.commissions_csv"),
        **filters(actor, wanted, offered),
    )


@blueprint.get("/commissions.xlsx")
@blueprint.get("/commissions.csv")
@login_required
def commissions_csv() -> ResponseReturnValue:
    """Every line of the page."""
    actor = current_agent()
    wanted, _ = _asked(actor, around(_today(actor), 3, 2), _booking_currencies)
    names = access().directory.names_in(actor)
    lines = office().commissions.export(actor, wanted, _state(), asked_order(CommissionSort, FIRST_TRIP))
    return table_response("commissions", _COMMISSION_HEADER, (_commission_row(line, names) for line in lines))


@blueprint.route("/commissions/<id:booking_id>/<id:segment_id>", methods=["GET", "POST"])
@login_required
def commission(booking_id: str, segment_id: str) -> ResponseReturnValue:
    """One segment's commission: what came in, and noting more."""
    actor = current_agent()
    line, receipts = office().commissions.line(actor, booking_id, segment_id)
    left = line.money(line.commission.outstanding)
    start = {"amount": left if left.minor else None, "received_on": _today(actor)}
    form = ReceiptForm(currency=line.currency, data=start)
    if form.validate_on_submit():
        amount, received_on = form.amount.data, form.received_on.data
        assert amount is not None
        assert received_on is not None
        saved = attempt(
            form,
            lambda: office().commissions.record(
                actor,
                booking_id,
                segment_id,
                amount=amount,
                received_on=received_on,
                reference=form.reference.data or "",
            ),
        )
        if saved is not None:
            flash(f"{amount.format()} of {saved.supplier_name} is noted.", "done")
            return redirect(url_for("reports.commission", booking_id=booking_id, segment_id=segment_id), 303)
    own = actor.owns(line.agent_id)
    page = render_template("reports/commission.html", line=line, receipts=receipts, form=form, own=own)
    return page, 422 if form.errors else 200


@blueprint.post("/commissions/<id:booking_id>/<id:segment_id>/<id:receipt_id>/remove")
@login_required
def take_back(booking_id: str, segment_id: str, receipt_id: str) -> ResponseReturnValue:
    """Removes what was noted by mistake."""
    office().commissions.take_back(current_agent(), booking_id, receipt_id)
    flash("The entry is removed.", "done")
    return redirect(url_for("reports.commission", booking_id=booking_id, segment_id=segment_id), 303)


@blueprint.get("/clients")
@login_required
def clients() -> ResponseReturnValue:
    """New clients by month, and whose payments came to most."""
    actor, reports = current_agent(), office().reports
    wanted, offered = _asked(actor, last_months(_today(actor), 6), _payment_currencies)
    found = reports.new_clients(actor, wanted)
    labels, counts = [_month(span) for span, _ in found], [count for _, count in found]
    words = [f"{label}: {count} new" for label, count in zip(labels, counts, strict=True)]
    series = [Series(name="New clients", values=[float(count) for count in counts])]
    return render_template(
        "reports/clients.html",
        rows=list(zip(labels, counts, strict=True)),
        total=sum(counts),
        today_count=reports.client_count(actor, wanted.agent_id),
        best=reports.best_clients(actor, wanted),
        charts={name: draw(labels, series, [words], width=width) for name, width in _WIDTHS.items()},
        legend=["New clients"],
        csv_url=with_same_filter("reports.clients_csv"),
        **filters(actor, wanted, offered),
    )


@blueprint.get("/clients.xlsx")
@blueprint.get("/clients.csv")
@login_required
def clients_csv() -> ResponseReturnValue:
    """Whose payments came to most, as the page shows them."""
    actor = current_agent()
    wanted, _ = _asked(actor, last_months(_today(actor), 6), _payment_currencies)
    best = office().reports.best_clients(actor, wanted)
    rows = ((each.name, each.payments, wanted.currency, each.amount.decimal) for each in best)
    return table_response("clients", ("Client", "Payments", "Currency", "Amount"), rows)


def _asked(actor: Actor, usual: Period, currencies: Currencies) -> tuple[Wanted, list[str]]:
    """As `asked_for`, and the currencies to choose between."""
    wanted = asked_for(actor, usual)
    offered = currencies(actor, wanted.agent_id) or [_CURRENCIES[0]]
    chosen = request.args.get("currency", "")
    return replace(wanted, currency=chosen if chosen in _CURRENCIES else offered[0]), offered


def asked_for(actor: Actor, usual: Period) -> Wanted:
    """What the address asks for, in whatever currency. Raises NotFound for an agent out of sight."""
    agent_id = request.args.get("agent", "")[:64]
    office().reports.check_agent(actor, agent_id)
    period = asked_period(request.args.get("from", "")[:10], request.args.get("to", "")[:10], usual)
    return Wanted(period=period, agent_id=agent_id, currency="")


def filters(actor: Actor, wanted: Wanted, offered: list[str]) -> dict[str, object]:
    """What the filter above each report reads."""
    names = office().reports.agents(actor)
    return {
        "wanted": wanted,
        "agents": sorted(names.items(), key=lambda pair: title_key(pair[1])),
        "agent_names": names,
        "currencies": [(code, same_list(currency=code), code == wanted.currency) for code in offered],
        "typed_from": request.args.get("from", "")[:10] if wanted.period.problem else wanted.period.first.isoformat(),
        "typed_to": request.args.get("to", "")[:10] if wanted.period.problem else wanted.period.last.isoformat(),
    }


def _payment_currencies(actor: Actor, agent_id: str) -> list[str]:
    return office().reports.payment_currencies(actor, agent_id, _CURRENCIES)


def _booking_currencies(actor: Actor, agent_id: str) -> list[str]:
    return office().reports.booking_currencies(actor, agent_id, _CURRENCIES)


def _today(actor: Actor) -> date:
    return office().reports.today(actor)


def _state() -> CommissionState | None:
    text = request.args.get("state", "")
    return CommissionState(text) if text in list(CommissionState) else None


def _month(span: Span) -> str:
    """ "Nov 2026"."""
    return format_date(span.first, "MMM y", locale=LOCALE)


def _money(minor: int, wanted: Wanted) -> Money:
    return Money(minor=minor, currency=wanted.currency)


def _amounts(figures: Sequence[Figure]) -> list[Money]:
    return [figure.amount for figure in figures]


def _total(figures: Sequence[Figure], wanted: Wanted) -> Money:
    return sum(_amounts(figures), start=_money(0, wanted))


def _money_charts(labels: Sequence[str], rows: Mapping[str, Sequence[Money]]) -> dict[str, Chart]:
    """The same chart for a wide screen and for a phone."""
    series = [Series(name=name, values=[float(each.decimal) for each in row]) for name, row in rows.items()]
    words = [
        [f"{label}, {name.lower()}: {each.format()}" for label, each in zip(labels, row, strict=True)]
        for name, row in rows.items()
    ]
    return {name: draw(labels, series, words, width=width) for name, width in _WIDTHS.items()}


def _due_row(line: DueLine, names: dict[str, str]) -> tuple[object, ...]:
    return (
        line.due_on,
        DUE_WORDS[line.kind],
        line.booking_title,
        line.supplier_name,
        line.amount.currency,
        line.amount.decimal,
        line.still_open.decimal,
        names.get(line.agent_id, ""),
    )


def _commission_row(line: CommissionLine, names: dict[str, str]) -> tuple[object, ...]:
    commission = line.commission
    return (
        line.departs_on,
        line.booking_title,
        line.supplier_name,
        line.confirmation_number,
        line.currency,
        line.money(commission.expected).decimal,
        line.money(commission.received).decimal,
        line.money(commission.outstanding).decimal,
        names.get(line.agent_id, ""),
    )
