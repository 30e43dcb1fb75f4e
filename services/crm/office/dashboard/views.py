"""The first page: what wants doing."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from services.crm.core.web import current_agent, dependencies, login_required

blueprint = Blueprint("dashboard", __name__, template_folder="templates")

_DUE_WITHIN = timedelta(days=14)
_DEPARTING_WITHIN = timedelta(days=30)
_OCCASIONS_WITHIN = 30
_PENDING_SHOWN = 5


@blueprint.get("/")
@login_required
def show() -> ResponseReturnValue:
    """Pending payments, tasks, what other rooms put here (new quote requests), payments due soon, departures,
    birthdays, links opened lately. Every part shows a few and leads on to the rest."""
    actor, deps = current_agent(), dependencies()
    today: date = deps.clock.now().astimezone(ZoneInfo(actor.time_zone)).date()
    return render_template(
        "dashboard/show.html",
        today=today,
        pending=deps.paying.book.pending(actor, limit=_PENDING_SHOWN),
        pending_count=deps.paying.book.pending_count(actor.agent_id),
        opened=deps.paying.book.opened(actor),
        tasks=deps.tasks.todo(actor),
        just_done=deps.tasks.just_done(actor),
        panels=deps.panels.for_dashboard(actor),
        dues=deps.bookings.dues(actor, today + _DUE_WITHIN, deps.paying.book.processed_by_segment),
        departures=deps.bookings.departing(actor, today, today + _DEPARTING_WITHIN),
        occasions=deps.profiles.upcoming(actor, today, _OCCASIONS_WITHIN),
        first_name=actor.name.split()[0],
    )
