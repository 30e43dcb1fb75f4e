"""The first page: what wants doing."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from services.crm.web import current_agent, dependencies, login_required

blueprint = Blueprint("dashboard", __name__, template_folder="templates")

_DUE_WITHIN = timedelta(days=14)
_DEPARTING_WITHIN = timedelta(days=30)


@blueprint.get("/")
@login_required
def show() -> ResponseReturnValue:
    """Pending payments (from the payments room), payments due soon, departures."""
    actor, deps = current_agent(), dependencies()
    today: date = deps.clock.now().astimezone(ZoneInfo(actor.time_zone)).date()
    return render_template(
        "dashboard/show.html",
        today=today,
        pending=deps.paying.book.pending(actor),
        opened=deps.paying.book.opened(actor),
        panels=deps.panels.for_dashboard(actor),
        dues=deps.panels.still_due(actor, deps.bookings.dues(actor, today + _DUE_WITHIN)),
        departures=deps.bookings.departing(actor, today, today + _DEPARTING_WITHIN),
        first_name=actor.name.split()[0],
    )
