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
from services.crm.trips.bookings.service import Horizon
from services.crm.trips.parts import trips

blueprint = Blueprint("dashboard", __name__, template_folder="templates")

_DUE_WITHIN = timedelta(days=14)
_DEPARTING_WITHIN = timedelta(days=30)
_OCCASIONS_WITHIN = 30


@blueprint.get("/")
@login_required
def show() -> ResponseReturnValue:
    """Pending payments, tasks, what other rooms put here (new quote requests), payments due soon, departures,
    birthdays, links opened lately. Every part shows a few and leads on to the rest."""
    actor = current_agent()
    payments = paying().book.on_desk(actor)
    tasks, just_done = sales().tasks.on_desk(actor)
    today: date = core().clock.now().astimezone(ZoneInfo(actor.time_zone)).date()
    days = Horizon(today=today, due_by=today + _DUE_WITHIN, gone_by=today + _DEPARTING_WITHIN)
    dues, departures = trips().bookings.on_desk(actor, days, paying().book.processed_by_segment)
    return render_template(
        "dashboard/show.html",
        today=today,
        pending=payments.pending,
        pending_count=paying().signs.of(actor).pending,
        opened=payments.opened,
        tasks=tasks,
        just_done=just_done,
        panels=DASHBOARD.panels(actor),
        dues=dues,
        departures=departures,
        occasions=sales().profiles.upcoming(actor, today, _OCCASIONS_WITHIN),
        first_name=actor.name.split()[0],
        known_words=[each for each in KNOWN_WORDS if each.on_dashboard],
    )
