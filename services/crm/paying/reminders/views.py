"""Pages of reminders: what leaves when, the form with preview and test, the log; the part on a booking's page."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from chassis.reminder_words import TAGS, Anchor, ReminderKind
from chassis.web.formatting import day, plural, zone
from services.crm.access.parts import access
from services.crm.core.actor import Actor
from services.crm.core.addresses import page_number, same_list, with_same_filter
from services.crm.core.bulk import all_ticked, back_to_list, carried_state, for_each, is_sure, list_state, picked
from services.crm.core.export import table_response
from services.crm.core.forms import attempt, do_and_say, shallow
from services.crm.core.headings import Headings, asked_order
from services.crm.core.panels import Panel
from services.crm.core.parts import core
from services.crm.core.web import current_agent, login_required
from services.crm.paying.parts import paying
from services.crm.paying.reminders.forms import RuleForm
from services.crm.paying.reminders.log import LATEST, LOG_KEYS, Entry, LogFilter, LogSort, Unsent
from services.crm.paying.reminders.rules import SENDABLE, Outcome, RuleData
from services.crm.paying.reminders.service import KIND_WORDS, Example, Offer, Preview, Scope
from services.crm.trips.bookings.service import BookingDetail, BookingStatus

blueprint = Blueprint("reminders", __name__, template_folder="templates", url_prefix="/reminders")

# What an outcome is called, its tone and its icon.
OUTCOMES = {
    Outcome.SENT: ("Sent", "done", "circle-check"),
    Outcome.FAILED: ("Not delivered", "alert", "circle-alert"),
    Outcome.SKIPPED_PAID: ("Not needed: paid", "neutral", "circle-check"),
    Outcome.SKIPPED_CANCELLED: ("Not sent: trip cancelled", "neutral", "ban"),
    Outcome.SKIPPED_LATE: ("Not sent: too late", "wait", "timer-off"),
    Outcome.SKIPPED_NO_ADDRESS: ("Not sent: no e-mail address", "wait", "circle-alert"),
}
_LATEST = 8
_CHIPS = (("All", ""), ("Sent", "yes"), ("Not sent", "no"))
_WHY_NOT = "the date is gone, the trip is cancelled, or the lead passenger has no e-mail address."
_NONE_LEAVES = f"None of these reminders can be sent: they were sent already or are not needed, or {_WHY_NOT}"
_BEFORE_SENDING = "They leave at once and can’t be called back. Nobody who has paid meanwhile gets one."
_CSV_HEADER = ("When", "Reminder", "Due", "Booking", "Supplier", "Client", "Address", "Outcome", "Subject", "Agent")


@blueprint.get("")
@login_required
def index() -> ResponseReturnValue:
    """Both reminders as they hold for the actor, and what was sent lately."""
    actor, reminders = current_agent(), paying().reminders
    latest = paying().reminder_log.page(actor, LogFilter(), 1)
    return render_template(
        "reminders/index.html",
        offers=reminders.offers(actor),
        is_admin=actor.is_admin,
        kinds=KIND_WORDS,
        latest=latest.items[:_LATEST],
        outcomes=OUTCOMES,
        agents=_agents(actor),
    )


@blueprint.route("/<any(own, agency):whose>/<any(payment_due, final_payment):which>", methods=["GET", "POST"])
@login_required
def edit(whose: str, which: str) -> ResponseReturnValue:
    """One rule: save it, preview it with a real booking, or have a test sent; what was typed stays."""
    actor, reminders = current_agent(), paying().reminders
    scope, kind = Scope(whose), ReminderKind(which)
    if scope is Scope.AGENCY and not actor.is_admin:
        abort(404)
    offer, examples = reminders.offer(actor, kind), reminders.examples(actor, kind)
    rule = offer.to_edit(scope)
    form = RuleForm(data={**shallow(rule.data), "version": rule.version})
    form.example.choices = {each.key: _example_words(each) for each in examples}
    example = _chosen(examples, form.example.data)
    preview: Preview | None = None
    if form.validate_on_submit():
        data = form.entered(kind)
        match request.form.get("do"):
            case "preview" if example:
                preview = reminders.preview(actor, data, example)
            case "test" if example:
                if attempt(form, lambda: _sent_test(actor, form, kind, example)):
                    flash(f"The test is on its way to {actor.email}. Nothing was saved.", "done")
                    preview = reminders.preview(actor, data, example)
            case "save":
                version = form.version.data or 0
                saved = attempt(form, lambda: reminders.save(actor, scope, data, version=version))
                if saved is not None:
                    flash(_saved_words(data), "done")
                    return redirect(url_for("reminders.index"), 303)
    return _form_page(offer, scope, form, preview, has_examples=bool(examples))


@blueprint.post("/own/<any(payment_due, final_payment):which>/give-up")
@login_required
def give_up(which: str) -> ResponseReturnValue:
    """Back to the agency's reminder."""
    kind = ReminderKind(which)
    paying().reminders.give_up(current_agent(), kind)
    flash(f"{KIND_WORDS[kind]}: the agency's reminder holds for your bookings again.", "done")
    return redirect(url_for("reminders.index"), 303)


@blueprint.get("/log")
@login_required
def log() -> ResponseReturnValue:
    """What was sent to whom; filter and page stay in the address."""
    actor, wanted = current_agent(), _wanted()
    chosen = request.args.get("sent", "")
    return render_template(
        "reminders/log.html",
        page=paying().reminder_log.page(actor, wanted, page_number()),
        sort=Headings(wanted.order, LOG_KEYS, LATEST),
        chips=[(label, same_list(sent=value), value == chosen) for label, value in _CHIPS],
        kinds=KIND_WORDS,
        outcomes=OUTCOMES,
        agents=_agents(actor),
        same_list=same_list,
        state=list_state(),
        all_ticked=all_ticked(),
        own_id=actor.agent_id,
        sendable=SENDABLE,
        csv_url=with_same_filter("reminders.export"),
    )


@blueprint.post("/log/act")
@login_required
def act() -> ResponseReturnValue:
    """The ticked reminders that did not leave are sent at once, after a page that names how many go to whom."""
    actor, back = current_agent(), back_to_list("reminders.log")
    ticked = picked()
    chosen = paying().reminder_log.unsent(actor, ticked)
    if not chosen:
        flash(_NONE_LEAVES if ticked else "Tick at least one reminder first.", "alert")
        return redirect(back, 303)
    mails, clients = plural(len(chosen), "reminder"), plural(len({each.email for each in chosen}), "client")
    shared = {
        "crumbs": [("Reminders", url_for("reminders.index")), ("Sent reminders", back), ("Several at once",)],
        "action": url_for("reminders.act"),
        "state": carried_state(),
        "back": back,
    }
    if is_sure():
        told = for_each(chosen, _named, lambda each: _send(actor, each))
        title, words = f"{mails} to {clients}", "Back to the reminders"
        return render_template("crm/bulk_told.html", title=title, told=told, undo="", back_words=words, **shared)
    left_out = len(ticked) - len(chosen)
    return render_template(
        "crm/bulk_ask.html",
        title=f"Send {mails} now?",
        detail=_BEFORE_SENDING + (f" {plural(left_out, 'other')} can’t leave: {_WHY_NOT}" if left_out else ""),
        act="send",
        picks=[(each.entry.id, f"{each.name}, {each.email}", _about(each.entry)) for each in chosen],
        confirm=f"Send {mails} to {clients}",
        danger=False,
        note="",
        **shared,
    )


@blueprint.get("/log.xlsx")
@blueprint.get("/log.csv")
@login_required
def export() -> ResponseReturnValue:
    """The log as the filter shows it."""
    actor = current_agent()
    names = access().directory.names_in(actor)
    rows = paying().reminder_log.export(actor, _wanted())
    return table_response("reminders", _CSV_HEADER, (_csv_row(entry, names) for entry in rows))


@blueprint.post("/bookings/<id:booking_id>")
@login_required
def switch(booking_id: str) -> ResponseReturnValue:
    """Switches the reminders of a booking or of one of its segments off or on."""
    off = request.form.get("off") == "1"
    paying().reminders.switch(current_agent(), booking_id, request.form.get("segment", "")[:64], off=off)
    flash("No reminder leaves for it any more." if off else "Its reminders are on again.", "done")
    return redirect(url_for("bookings.show", booking_id=booking_id) + "#reminders", 303)


@blueprint.post("/bookings/<id:booking_id>/send-now")
@login_required
def send_now(booking_id: str) -> ResponseReturnValue:
    """C9: one date's reminder leaves at once, also when it was too late for its rule."""
    do_and_say(
        lambda: paying().reminders.send_now(current_agent(), booking_id, request.form.get("due", "")[:80]),
        lambda due: f"The reminder of {day(due.due_on)} is on its way, unless it is paid.",
    )
    return redirect(url_for("bookings.show", booking_id=booking_id) + "#reminders", 303)


def booking_panel(actor: Actor, booking: BookingDetail) -> Panel | None:
    """The reminders part of a booking's page; nothing while the trip is only a quote or has no dates."""
    if booking.status not in (BookingStatus.BOOKED, BookingStatus.CANCELLED):
        return None
    reminders = paying().reminders
    planned = reminders.planned(booking)
    if not planned or (booking.status is BookingStatus.CANCELLED and not any(each.entry for each in planned)):
        return None
    today = core().clock.now().astimezone(zone()).date()
    data = {
        "planned": planned,
        "booking": booking,
        "kinds": KIND_WORDS,
        "outcomes": OUTCOMES,
        "sendable": SENDABLE,
        "off": reminders.is_off(booking.id),
        "own": actor.owns(booking.agent_id) and booking.status is BookingStatus.BOOKED,
        "any_rule": any(each.leaves_on for each in planned),
        "any_ahead": any(each.leaves_on and each.leaves_on >= today and not each.entry for each in planned),
        "has_address": bool(booking.lead and booking.lead.email),
        "today": today,
    }
    return Panel(template="reminders/booking_panel.html", data=data)


def _form_page(
    offer: Offer, scope: Scope, form: RuleForm, preview: Preview | None, *, has_examples: bool
) -> ResponseReturnValue:
    page = render_template(
        "reminders/edit.html",
        form=form,
        offer=offer,
        scope=scope,
        kind_words=KIND_WORDS[offer.kind],
        tags=TAGS,
        preview=preview,
        has_examples=has_examples,
    )
    return page, 422 if form.errors else 200


def _sent_test(actor: Actor, form: RuleForm, kind: ReminderKind, example: Example) -> bool:
    paying().reminders.send_test(actor, form.entered(kind), example)
    return True


def _chosen(examples: list[Example], key: str | None) -> Example | None:
    return next((each for each in examples if each.key == key), examples[0] if examples else None)


def _example_words(example: Example) -> str:
    lead = example.booking.lead
    name = f"{lead.name}, " if lead else ""
    return f"{name}{example.due.segment.data.supplier_name}, due {day(example.due.due_on)}"


def _saved_words(data: RuleData) -> str:
    words, days = KIND_WORDS[data.kind], data.days_before
    if not data.active:
        return f"{words} is saved and off."
    if data.anchor is Anchor.TRAVEL:
        when = "on the first day of travel" if days == 0 else f"{plural(days, 'day')} before the first day of travel"
    else:
        when = "on the day itself" if days == 0 else f"{plural(days, 'day')} before"
    return f"{words} is saved. It leaves {when}, at nine in the morning."


def _send(actor: Actor, each: Unsent) -> Unsent:
    paying().reminders.send_now(actor, each.entry.booking_id, each.due_id)
    return each


def _named(each: Unsent) -> str:
    return f"{each.name}: {_about(each.entry)}"


def _about(entry: Entry) -> str:
    return f"{KIND_WORDS[entry.kind]} of {day(entry.due_on)}, {entry.booking_title}"


def _agents(actor: Actor) -> dict[str, str]:
    """Names of the agents, where the actor sees more than their own."""
    return access().directory.names_in(actor) if actor.is_admin else {}


def _wanted() -> LogFilter:
    sent = {"yes": True, "no": False}.get(request.args.get("sent", ""))
    return LogFilter(sent=sent, order=asked_order(LogSort, LATEST))


def _csv_row(entry: Entry, names: dict[str, str]) -> tuple[object, ...]:
    return (
        entry.at.isoformat(timespec="seconds"),
        KIND_WORDS[entry.kind],
        entry.due_on,
        entry.booking_title,
        entry.supplier_name,
        entry.recipient_name,
        entry.address_hint,
        OUTCOMES[entry.outcome][0],
        entry.subject,
        names.get(entry.agent_id, ""),
    )
