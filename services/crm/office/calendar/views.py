"""Pages of the calendar: a month, which is a list of days on a phone; one day; the file."""

from datetime import date, timedelta

from babel.dates import format_date
from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from chassis.calendar import CONTENT_TYPE
from chassis.typed.days import DayError, read_day
from chassis.typed.names import title_key
from chassis.web.downloads import download
from chassis.web.formatting import LOCALE
from services.crm.access.activity.service import Act
from services.crm.access.parts import access
from services.crm.core.actor import Actor
from services.crm.core.addresses import same_list
from services.crm.core.days import DayKind, DayLine
from services.crm.core.origin import request_origin
from services.crm.core.parts import core
from services.crm.core.qr import qr_code
from services.crm.core.web import current_agent, login_required
from services.crm.office.calendar.entries import WORDS
from services.crm.office.calendar.feeds import FeedReadTooOften
from services.crm.office.calendar.rules import EARLIEST, LATEST, month_asked, next_month, previous_month
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


@blueprint.get("/subscribe")
@login_required
def subscribe() -> str:
    """Where an agent makes the address that their other calendars read, and sees whether it is read."""
    return render_template("calendar/subscribe.html", feed=office().feeds.of(current_agent()), url="", webcal="", qr="")


@blueprint.post("/subscribe")
@login_required
def renew_feed() -> str:
    """The page on which the address stands, this once; the one before leads nowhere any more."""
    actor, feeds = current_agent(), office().feeds
    token = feeds.renew(actor)
    _note(Act.CALENDAR_ADDRESS_MADE)
    path = url_for("calendar.feed", token=token)
    url = f"{core().settings.public_url}{path}"
    webcal = f"webcal://{url.partition('://')[2]}"
    return render_template("calendar/subscribe.html", feed=feeds.of(actor), url=url, webcal=webcal, qr=qr_code(url))


@blueprint.post("/subscribe/end")
@login_required
def end_feed() -> ResponseReturnValue:
    """The address leads nowhere from now on."""
    if office().feeds.end(current_agent()):
        _note(Act.CALENDAR_ADDRESS_ENDED)
    flash("The address has ended. Your other calendars get nothing more; remove it there, too.", "done")
    return redirect(url_for("calendar.subscribe"), 303)


@blueprint.get("/feed/<string:token>.ics")
def feed(token: str) -> ResponseReturnValue:
    """What other calendars read, without a session: who has the address may read, and nothing else."""
    try:
        found = office().feeds.read(token, request.user_agent.string)
    except FeedReadTooOften as refused:
        return Response(status=429, headers={"Retry-After": str(int(refused.wait.total_seconds()) + 1)})
    if request.if_none_match.contains_weak(found.tag):
        response = Response(status=304)
    else:
        response = download(found.content(), content_type=CONTENT_TYPE, name="calendar.ics")
    response.set_etag(found.tag)
    return response


def _note(act: Act) -> None:
    access().activities.note(current_agent(), act, "", request_origin())


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
