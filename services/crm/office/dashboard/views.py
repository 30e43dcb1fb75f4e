"""The first page: what wants doing."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from services.crm.core.known_words import KNOWN_WORDS
from services.crm.core.panels import DASHBOARD
from services.crm.core.parts import core
from services.crm.core.web import current_agent, login_required
from services.crm.paying.parts import paying
from services.crm.sales.parts import sales
from services.crm.trips.parts import trips

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
    actor = current_agent()
    today: date = core().clock.now().astimezone(ZoneInfo(actor.time_zone)).date()
    return render_template(
        "dashboard/show.html",
        today=today,
        pending=paying().book.pending(actor, limit=_PENDING_SHOWN),
        pending_count=paying().signs.of(actor.agent_id).pending,
        opened=paying().book.opened(actor),
        tasks=sales().tasks.todo(actor),
        just_done=sales().tasks.just_done(actor),
        panels=DASHBOARD.panels(actor),
        dues=trips().bookings.dues(actor, today + _DUE_WITHIN, paying().book.processed_by_segment),
        departures=trips().bookings.departing(actor, today, today + _DEPARTING_WITHIN),
        occasions=sales().profiles.upcoming(actor, today, _OCCASIONS_WITHIN),
        first_name=actor.name.split()[0],
        known_words=[each for each in KNOWN_WORDS if each.on_dashboard],
    )
