"""Pages of the calendar: a month, which is a list of days on a phone; one day; the file."""

from datetime import date, timedelta

from babel.dates import format_date
from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from chassis.calendar import CONTENT_TYPE
from chassis.typed.days import DayError, read_day
from chassis.typed.names import title_key
from chassis.web.downloads import download
from chassis.web.formatting import LOCALE
from services.crm.core.actor import Actor
from services.crm.core.addresses import same_list
from services.crm.core.days import DayKind, DayLine
from services.crm.core.web import current_agent, login_required
from services.crm.office.calendar.rules import EARLIEST, LATEST, month_asked, next_month, previous_month
from services.crm.office.calendar.service import WORDS
from services.crm.office.parts import office

blueprint = Blueprint(
    "calendar",
    __name__,
    template_folder="templates",
    static_folder="static",
    static_url_path="/static/calendar",
    url_prefix="/calendar",
)

ICONS = {
    DayKind.DEPARTURE: "plane-takeoff",
    DayKind.RETURN: "plane-landing",
    DayKind.DUE: "calendar-clock",
    DayKind.LAPSE: "timer-off",
    DayKind.TASK: "square-check",
    DayKind.BIRTHDAY: "cake",
}
LEGEND = {
    DayKind.DEPARTURE: "Departures",
    DayKind.RETURN: "Returns",
    DayKind.DUE: "Payments due",
    DayKind.LAPSE: "Cards that lapse",
    DayKind.TASK: "Tasks",
    DayKind.BIRTHDAY: "Birthdays and anniversaries",
}


@blueprint.get("")
@login_required
def month() -> ResponseReturnValue:
    """A month in whole weeks; month and agent stay in the address."""
    actor = current_agent()
    today = office().reports.today(actor)
    shown = month_asked(request.args.get("month", ""), today)
    return render_template(
        "calendar/month.html",
        month=shown,
        title=format_date(shown, "MMMM y", locale=LOCALE),
        days=office().calendars.weeks(actor, shown, _agent()),
        before=same_list(month=f"{previous_month(shown):%Y-%m}") if shown > EARLIEST else "",
        after=same_list(month=f"{next_month(shown):%Y-%m}") if next_month(shown) <= LATEST else "",
        this_month=same_list(month=""),
        file_url=url_for("calendar.file", month=f"{shown:%Y-%m}", agent=_agent() or None),
        **_shared(actor, today),
    )


@blueprint.get("/day")
@login_required
def day() -> ResponseReturnValue:
    """One day, with all of it."""
    actor = current_agent()
    today = office().reports.today(actor)
    on = _day(today)
    return render_template(
        "calendar/day.html",
        day=office().calendars.day(actor, on, _agent()),
        before=same_list(on=(on - timedelta(days=1)).isoformat()) if on > EARLIEST else "",
        after=same_list(on=(on + timedelta(days=1)).isoformat()) if on < LATEST else "",
        to_month=url_for("calendar.month", month=f"{on:%Y-%m}", agent=_agent() or None),
        **_shared(actor, today),
    )


@blueprint.get("/calendar.ics")
@login_required
def file() -> ResponseReturnValue:
    """The month's weeks for another calendar."""
    actor = current_agent()
    shown = month_asked(request.args.get("month", ""), office().reports.today(actor))
    content = office().calendars.file(actor, shown, _agent())
    return download(content, content_type=CONTENT_TYPE, name=f"calendar-{shown:%Y-%m}.ics")


def _shared(actor: Actor, today: date) -> dict[str, object]:
    names = office().reports.agents(actor)
    return {
        "today": today,
        "agents": sorted(names.items(), key=lambda pair: title_key(pair[1])),
        "agent_names": names,
        "agent_id": _agent(),
        "address_of": lambda line: _address(line, actor),
        "icons": ICONS,
        "legend": LEGEND,
        "words": WORDS,
    }


def _address(line: DayLine, actor: Actor) -> str:
    """Where a line leads; a task of somebody else's can be read nowhere."""
    match line.kind:
        case DayKind.DEPARTURE | DayKind.RETURN | DayKind.DUE:
            return url_for("bookings.show", booking_id=line.thing_id)
        case DayKind.LAPSE:
            return url_for("payment_page.show", payment_id=line.thing_id)
        case DayKind.TASK:
            return url_for("tasks.edit", task_id=line.thing_id) if actor.owns(line.agent_id) else ""
        case DayKind.BIRTHDAY:
            return url_for("clients.show", client_id=line.thing_id)


def _agent() -> str:
    return request.args.get("agent", "")[:64]


def _day(today: date) -> date:
    try:
        return read_day(request.args.get("on", "")[:40], earliest=EARLIEST, latest=LATEST)
    except DayError:
        return today
