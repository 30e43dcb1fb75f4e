"""The audit viewer's pages: the vault's trail of the agency's cards, and the office's own acts."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog
from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from chassis.errors import InvalidArgument, WayvaultError
from chassis.typed.days import DayError, read_day
from services.crm.access.activity.service import ACT_WORDS, Act, ActivityFilter
from services.crm.access.parts import access
from services.crm.core.addresses import page_number, same_list, with_same_filter
from services.crm.core.export import table_response
from services.crm.core.origin import request_origin
from services.crm.core.web import admin_required, current_agent
from services.crm.office.audit.rules import TRAIL_ACTIONS
from services.crm.office.audit.service import TrailRow, Wanted
from services.crm.office.parts import office
from services.crm.paying.parts import paying
from services.crm.paying.reveal.history import HistoryLine, Names, history_lines

blueprint = Blueprint("audit", __name__, template_folder="templates", url_prefix="/audit")
log = structlog.get_logger("crm.audit")

_UNKNOWN_CLIENT = "The client"


@blueprint.get("")
@admin_required
def index() -> ResponseReturnValue:
    """Cards: who did what to which payment's card. Filter and place stay in the address."""
    actor = current_agent()
    problem, page, lines, labels = "", None, [], {}
    try:
        page = office().audit.trail(actor, _wanted(), after=request.args.get("after", "")[:200])
        lines = _lines(page.rows)
        labels = office().audit.payments(actor, {row.payment_id for row in page.rows})
    except InvalidArgument as error:
        problem = error.message
    except WayvaultError:
        problem = "The vault can't be reached, so its trail can't be shown now. Nothing is lost; reload in a moment."
    return render_template(
        "audit/index.html",
        problem=problem,
        page=page,
        lines=lines,
        labels=labels,
        actions=TRAIL_ACTIONS,
        agents=access().directory.names_in(actor),
        chosen=request.args,
        csv_url=with_same_filter("audit.export"),
        older=same_list(after=page.next) if page and page.next else "",
        newest=same_list(after="") if request.args.get("after") else "",
        no_payment=same_list(payment="", after=""),
        for_payment=lambda payment_id: same_list(payment=payment_id, after=""),
    )


@blueprint.get("/trail.xlsx")
@blueprint.get("/trail.csv")
@admin_required
def export() -> ResponseReturnValue:
    """What the filter finds, as a file. The download itself is noted."""
    actor = current_agent()
    rows = office().audit.whole_trail(actor, _wanted())
    lines = _lines(rows)
    labels = office().audit.payments(actor, {row.payment_id for row in rows})
    access().activities.note(actor, Act.TRAIL_EXPORTED, f"{len(rows)} rows", request_origin())
    log.info("audit.exported", agency_id=actor.agency_id, by=actor.agent_id, rows=len(rows))
    return table_response(
        "card-trail",
        ["Time (UTC)", "What", "Refused", "Who", "From", "Why", "Payment", "Payment id", "Chain", "Row", "Seal fits"],
        [
            [
                line.at.astimezone(UTC).isoformat(timespec="seconds"),
                line.what,
                "yes" if line.refused else "no",
                line.who,
                line.where,
                line.why,
                labels.get(row.payment_id, ""),
                row.payment_id,
                row.chain_id,
                row.sequence,
                "yes" if row.intact else "NO",
            ]
            for row, line in zip(rows, lines, strict=True)
        ],
    )


@blueprint.get("/office", endpoint="office")
@admin_required
def acts() -> ResponseReturnValue:
    """The office: sign-ins, and whatever an admin changed."""
    actor = current_agent()
    page = access().activities.page(actor, _wanted_acts(), page_number())
    return render_template(
        "audit/office.html",
        page=page,
        actions=[("", "Everything"), *((key.value, words) for key, words in ACT_WORDS.items())],
        agents=access().directory.names_in(actor),
        chosen=request.args,
        same_list=same_list,
        csv_url=with_same_filter("audit.export_office"),
    )


@blueprint.get("/office.xlsx")
@blueprint.get("/office.csv")
@admin_required
def export_office() -> ResponseReturnValue:
    """What the filter finds of the office's acts, as a file. The download itself is noted."""
    actor = current_agent()
    found = access().activities.export(actor, _wanted_acts())
    access().activities.note(actor, Act.TRAIL_EXPORTED, f"{len(found)} rows of the office's", request_origin())
    rows = ((each.at, each.what, each.who, each.about, each.ip, each.device) for each in found)
    return table_response("office-trail", ("Time (UTC)", "What", "Who", "About", "From", "Device"), rows)


def _wanted_acts() -> ActivityFilter:
    act = request.args.get("action", "")
    since, until = _span()
    return ActivityFilter(
        agent_id=request.args.get("agent", "")[:64],
        act=Act(act) if act in list(Act) else None,
        since=since,
        until=until,
    )


def _wanted() -> Wanted:
    since, until = _span()
    known = {key for key, _ in TRAIL_ACTIONS}
    action = request.args.get("action", "")
    return Wanted(
        agent_id=request.args.get("agent", "")[:64],
        payment_id=request.args.get("payment", "").strip()[:64],
        action=action if action in known else "",
        refused_only=request.args.get("refused") == "yes",
        since=since,
        until=until,
    )


def _span() -> tuple[datetime | None, datetime | None]:
    """From the first day's beginning to the last day's end, as the admin's clock counts days."""
    zone = ZoneInfo(current_agent().time_zone)
    first, last = _day("from"), _day("to")
    since = datetime.combine(first, time.min, zone) if first else None
    until = datetime.combine(last + timedelta(days=1), time.min, zone) if last and last < date.max else None
    return (since.astimezone(UTC) if since else None), (until.astimezone(UTC) if until else None)


def _day(name: str) -> date | None:
    try:
        return read_day(request.args.get(name, "")[:40])
    except DayError:
        return None


def _lines(rows: Sequence[TrailRow]) -> list[HistoryLine]:
    names = access().directory.names_in(current_agent())
    people = Names(
        names=names | {"operator": "The operator"}, client=_UNKNOWN_CLIENT, reasons=paying().reason_words.of_codes
    )
    # history_lines turns its entries around: oldest first in, newest first out.
    return history_lines([row.entry for row in reversed(rows)], people)
