"""Pages of quote requests: inbox, one request, booking it in one step, declining it; the dashboard's place."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from chassis.typed.numbers import number_from
from chassis.typed.text import clean_text
from chassis.web.formatting import plural
from services.crm.access.parts import access
from services.crm.core.actor import Actor
from services.crm.core.addresses import page_number, same_list, with_same_filter
from services.crm.core.bulk import all_ticked, back_to_list, carried_state, for_each, is_sure, list_state, picked
from services.crm.core.export import table_response
from services.crm.core.forms import attempt, do_and_say
from services.crm.core.headings import Headings, asked_order
from services.crm.core.panels import Panel
from services.crm.core.parts import core
from services.crm.core.qr import qr_code
from services.crm.core.web import current_agent, login_required
from services.crm.sales.parts import sales
from services.crm.trips.parts import trips
from services.crm.trips.quotes.forms import DeclineForm
from services.crm.trips.quotes.service import NEWEST, QUOTE_KEYS, QuoteDetail, QuoteFilter, QuoteSort, QuoteState

blueprint = Blueprint("quotes", __name__, template_folder="templates", url_prefix="/quotes")

_REOPEN = "reopen"
_CHIPS = (("New", "new"), ("Booked", "booked"), ("Declined", "declined"), ("All", "all"))
_CSV_HEADER = (
    "From",
    "E-mail",
    "Phone",
    "Where",
    "Begins",
    "Ends",
    "Travelers",
    "Budget",
    "Wishes",
    "Asked (UTC)",
    "State",
    "Agent",
)


def dashboard_panel(actor: Actor) -> Panel | None:
    """The newest requests that wait for an answer."""
    found = trips().quotes.newest(actor)
    return Panel(template="quotes/dashboard_panel.html", data={"quotes": found}) if found else None


@blueprint.get("")
@login_required
def index() -> ResponseReturnValue:
    """The inbox; its filter and page stay in the address."""
    actor, wanted = current_agent(), _wanted()
    chosen = wanted.state.value if wanted.state else "all"
    page = trips().quotes.list_page(actor, wanted, page_number())
    chips = [(label, same_list(state=value), value == chosen) for label, value in _CHIPS]
    public_page = f"{core().settings.portal_url}/a/{access().directory.agent(actor.agent_id).page_name}"
    return render_template(
        "quotes/index.html",
        page=page,
        chips=chips,
        chosen=chosen,
        sort=Headings(wanted.order, QUOTE_KEYS, NEWEST),
        same_list=same_list,
        csv_url=with_same_filter("quotes.export"),
        own_id=actor.agent_id,
        state=list_state(),
        all_ticked=all_ticked(),
        public_page=public_page,
        public_page_qr=qr_code(public_page),
    )


@blueprint.get("/quote-requests.xlsx")
@blueprint.get("/quote-requests.csv")
@login_required
def export() -> ResponseReturnValue:
    """The inbox as the filter shows it."""
    rows = trips().quotes.export(current_agent(), _wanted())
    return table_response("quote-requests", _CSV_HEADER, (_csv_row(quote) for quote in rows))


@blueprint.post("/act")
@login_required
def act() -> ResponseReturnValue:
    """The ticked requests are declined, after a page that names them; or taken up again, which needs none."""
    actor, quotes, back = current_agent(), trips().quotes, back_to_list("quotes.index")
    versions = {quote_id: number_from(version) for quote_id, _, version in (each.partition(":") for each in picked())}
    chosen = quotes.some(actor, list(versions))
    if not chosen:
        flash("Tick at least one request first.", "alert")
        return redirect(back, 303)
    many, crumbs = plural(len(chosen), "request"), [("Quote requests", url_for("quotes.index")), ("Several at once",)]
    if request.form.get("do") == _REOPEN:
        told = for_each(chosen, _named, lambda each: quotes.reopen(actor, each.id, version=versions[each.id]))
        title, undo = f"{many} taken up again", ""
    elif is_sure():
        note = clean_text(request.form.get("note", ""))[:2000]
        told = for_each(chosen, _named, lambda each: quotes.decline(actor, each.id, note, version=versions[each.id]))
        title, undo = f"{many} declined", _REOPEN
    else:
        return render_template(
            "crm/bulk_ask.html",
            title=f"Decline {many}?",
            crumbs=crumbs,
            detail="They are put away with your note. Nobody is written to, and you can take them up again.",
            action=url_for("quotes.act"),
            act="decline",
            picks=[(f"{each.id}:{versions[each.id]}", each.name, each.wish.destination) for each in chosen],
            state=carried_state(),
            back=back,
            confirm=f"Decline {many}",
            danger=False,
            note="Note for yourself",
        )
    return render_template(
        "crm/bulk_told.html",
        title=title,
        crumbs=crumbs,
        told=told,
        action=url_for("quotes.act"),
        undo=undo,
        undo_picks=[f"{each.result.id}:{each.result.version}" for each in told if each.result is not None],
        state=carried_state(),
        back=back,
        back_words="Back to the requests",
    )


def _named(quote: QuoteDetail) -> str:
    return f"{quote.name}, {quote.wish.destination}"


@blueprint.get("/<id:quote_id>")
@login_required
def show(quote_id: str) -> ResponseReturnValue:
    """One request."""
    quote = trips().quotes.get(current_agent(), quote_id)
    return _page(quote_id, DeclineForm(data={"version": quote.version}))


@blueprint.post("/<id:quote_id>/booking")
@login_required
def book(quote_id: str) -> ResponseReturnValue:
    """Makes a booking of it and opens the booking's form, prefilled."""
    booking = trips().quotes.book(current_agent(), quote_id)
    flash("The booking is open, with the client and what was asked for. Add its first segment.", "done")
    return redirect(url_for("bookings.show", booking_id=booking.id), 303)


@blueprint.post("/<id:quote_id>/decline")
@login_required
def decline(quote_id: str) -> ResponseReturnValue:
    """Puts it away with a note."""
    actor = current_agent()
    trips().quotes.get(actor, quote_id)
    form = DeclineForm()
    if form.validate_on_submit():
        version = form.version.data or 0
        if attempt(form, lambda: trips().quotes.decline(actor, quote_id, form.note.data or "", version=version)):
            flash("The request is put away. You can take it up again from the list of declined ones.", "done")
            return redirect(url_for("quotes.index"), 303)
    return _page(quote_id, form)


@blueprint.post("/<id:quote_id>/reopen")
@login_required
def reopen(quote_id: str) -> ResponseReturnValue:
    """Takes a declined one up again."""
    version = number_from(request.form.get("version", ""))
    do_and_say(
        lambda: trips().quotes.reopen(current_agent(), quote_id, version=version),
        lambda _: "The request is new again.",
    )
    return redirect(url_for("quotes.show", quote_id=quote_id), 303)


def _page(quote_id: str, form: DeclineForm) -> ResponseReturnValue:
    actor = current_agent()
    quote = trips().quotes.get(actor, quote_id)
    page = render_template(
        "quotes/show.html",
        quote=quote,
        client=sales().clients.get(actor, quote.client_id),
        form=form,
        own=actor.owns(quote.agent_id),
    )
    return page, 422 if form.errors else 200


def _wanted() -> QuoteFilter:
    state = request.args.get("state", "new")
    return QuoteFilter(
        state=QuoteState(state) if state in list(QuoteState) else None, order=asked_order(QuoteSort, NEWEST)
    )


def _csv_row(quote: QuoteDetail) -> tuple[object, ...]:
    wish = quote.wish
    return (
        quote.name,
        quote.email,
        quote.phone,
        wish.destination,
        wish.begins_on,
        wish.ends_on,
        wish.travelers,
        wish.budget,
        wish.wishes,
        quote.asked_at,
        quote.state.value,
        quote.agent_name,
    )
