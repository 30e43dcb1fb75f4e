"""Pages of bookings: list, CSV, booking page, booking form, segment form."""

from collections.abc import Collection

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from chassis.errors import NotFound
from chassis.itinerary import KIND_ICONS
from chassis.typed.numbers import number_from
from chassis.typed.zones import city_zones
from chassis.web.formatting import currency_choices, plural, zone
from services.crm.access.saved_views.pages import saved_bar
from services.crm.access.saved_views.service import SavedList
from services.crm.core.actor import Actor
from services.crm.core.addresses import page_number, same_list, typed_text, with_same_filter
from services.crm.core.export import table_response
from services.crm.core.forms import attempt, do_and_say, shallow
from services.crm.core.headings import Headings, asked_order
from services.crm.core.panels import Panel
from services.crm.core.parts import core
from services.crm.core.web import current_agent, login_required
from services.crm.sales.clients.service import ClientDetail
from services.crm.sales.parts import sales
from services.crm.trips.bookings.forms import (
    DEFAULT_CURRENCY,
    KIND_WORDS,
    STATUS_WORDS,
    BookingForm,
    CancelForm,
    SegmentForm,
    make_segment_form,
    point_values,
)
from services.crm.trips.bookings.lists import BOOKING_KEYS, BY_CHANGE
from services.crm.trips.bookings.panels import BOOKING_LINE, BOOKING_PAGE
from services.crm.trips.bookings.schedule_text import Schedule, Unreadable, read_schedule
from services.crm.trips.bookings.service import (
    BookingDetail,
    BookingFilter,
    BookingSort,
    BookingStatus,
    SegmentDetail,
)
from services.crm.trips.parts import trips

blueprint = Blueprint("bookings", __name__, template_folder="templates", url_prefix="/bookings")

_SORTS = (
    (BookingSort.CHANGED, "Last changed"),
    (BookingSort.DEPARTURE, "By departure"),
    (BookingSort.TITLE, "By title"),
)
# As many as an address names: those of a whole household, or of a team.
_MOST_PASSENGERS = 20
_CSV_HEADER = ("Booking", "Status", "Lead passenger", "Begins", "Ends", "Currency", "Total", "Commission", "Agent")


@blueprint.get("")
@login_required
def index() -> ResponseReturnValue:
    """The list; its filter, order and page stay in the address."""
    wanted = _filter()
    page = trips().bookings.list_page(current_agent(), wanted, page_number())
    return render_template(
        "bookings/index.html",
        page=page,
        wanted=wanted,
        sort=(sort := Headings(wanted.order, BOOKING_KEYS, BY_CHANGE)),
        orders=sort.choices(_SORTS),
        statuses=STATUS_WORDS,
        same_list=same_list,
        saved=saved_bar(SavedList.BOOKINGS),
        csv_url=with_same_filter("bookings.export"),
    )


@blueprint.get("/bookings.xlsx")
@blueprint.get("/bookings.csv")
@login_required
def export() -> ResponseReturnValue:
    """The list as the filter shows it."""
    rows = trips().bookings.export(current_agent(), _filter())
    return table_response("bookings", _CSV_HEADER, (_csv_row(booking) for booking in rows))


@blueprint.route("/new", methods=["GET", "POST"])
@login_required
def new() -> ResponseReturnValue:
    actor = current_agent()
    first = [client.id for client in sales().clients.named(actor, request.args.getlist("client")[:_MOST_PASSENGERS])]
    form = BookingForm(currency=_typed_currency(DEFAULT_CURRENCY), data={"passengers": first})
    if not _is_looking_for_people() and form.validate_on_submit():
        booking = attempt(form, lambda: trips().bookings.create(actor, form.entered()))
        if booking is not None:
            flash("The booking is open. Add its first segment: what the client travels on or stays in.", "done")
            return redirect(url_for("bookings.show", booking_id=booking.id), 303)
    return _booking_page(form, None)


@blueprint.get("/people")
@login_required
def people() -> ResponseReturnValue:
    """Who could travel, found while one types (a fragment for htmx): the agent's own clients who are not ticked yet."""
    found = _found_people(typed_text("people"), request.args.getlist("passengers"))
    return render_template("bookings/_people.html", found=found, text=typed_text("people"), form=None)


@blueprint.get("/<id:booking_id>")
@login_required
def show(booking_id: str) -> ResponseReturnValue:
    """The booking: segments, passengers, and what other rooms put here (the payment area)."""
    actor = current_agent()
    booking = trips().bookings.get(actor, booking_id)
    return render_template(
        "bookings/show.html",
        booking=booking,
        own=actor.owns(booking.agent_id),
        kinds=KIND_WORDS,
        kind_icons=KIND_ICONS,
        lines=BOOKING_LINE.panels(actor, booking),
        panels=BOOKING_PAGE.panels(actor, booking),
    )


def client_panel(actor: Actor, client: ClientDetail) -> Panel:
    """The bookings part of a client's page."""
    lines, more = trips().bookings.of_client(actor, client.id)
    data = {"client": client, "own": actor.owns(client.agent_id), "bookings": lines, "more": more}
    return Panel(template="bookings/client_panel.html", data=data)


@blueprint.route("/<id:booking_id>/edit", methods=["GET", "POST"])
@login_required
def edit(booking_id: str) -> ResponseReturnValue:
    actor, bookings = current_agent(), trips().bookings
    booking = bookings.get_own(actor, booking_id)
    form = BookingForm(currency=_typed_currency(booking.currency), data=_booking_values(booking))
    if not _is_looking_for_people() and form.validate_on_submit():
        version = form.version.data or 0
        saved = attempt(form, lambda: bookings.change(actor, booking_id, form.entered(), version=version))
        if saved is not None:
            flash("The booking is saved.", "done")
            return redirect(url_for("bookings.show", booking_id=booking_id), 303)
    return _booking_page(form, booking)


@blueprint.route("/<id:booking_id>/segments/new", methods=["GET", "POST"])
@login_required
def new_segment(booking_id: str) -> ResponseReturnValue:
    booking = trips().bookings.get_own(current_agent(), booking_id)
    form = _segment_form(booking, None)
    if request.method == "GET" and not booking.segments:
        form.begins_on.data, form.ends_on.data = trips().quotes.wished_days(booking_id)
    if (read := _read_schedule(form, booking)) is not None:
        return _segment_page(read, booking, None)
    if _is_to_save(form):
        version = form.version.data or 0
        saved = attempt(
            form,
            lambda: trips().bookings.add_segment(current_agent(), booking_id, form.entered(), version=version),
        )
        if saved is not None:
            flash(f"{saved.data.supplier_name} is on the booking.", "done")
            return redirect(url_for("bookings.show", booking_id=booking_id), 303)
    return _segment_page(form, booking, None)


@blueprint.route("/<id:booking_id>/segments/<id:segment_id>", methods=["GET", "POST"])
@login_required
def edit_segment(booking_id: str, segment_id: str) -> ResponseReturnValue:
    booking = trips().bookings.get_own(current_agent(), booking_id)
    segment = _segment_of(booking, segment_id)
    form = _segment_form(booking, segment)
    if (read := _read_schedule(form, booking)) is not None:
        return _segment_page(read, booking, segment)
    if _is_to_save(form):
        version = form.version.data or 0
        saved = attempt(
            form,
            lambda: trips().bookings.change_segment(
                current_agent(), booking_id, segment_id, form.entered(), version=version
            ),
        )
        if saved is not None:
            flash(f"{saved.data.supplier_name} is saved.", "done")
            return redirect(url_for("bookings.show", booking_id=booking_id), 303)
    return _segment_page(form, booking, segment)


@blueprint.route("/<id:booking_id>/segments/<id:segment_id>/cancel", methods=["GET", "POST"])
@login_required
def cancel_segment(booking_id: str, segment_id: str) -> ResponseReturnValue:
    """C5: the segment is no part of the trip any more; what the supplier keeps and owes back is noted."""
    actor, bookings = current_agent(), trips().bookings
    booking = bookings.get_own(actor, booking_id)
    segment = _segment_of(booking, segment_id)
    form = CancelForm(currency=booking.currency, data={"version": booking.version})
    if form.validate_on_submit():
        version, cancelled = form.version.data or 0, form.entered(core().clock.now())
        saved = attempt(
            form, lambda: bookings.cancel_segment(actor, booking_id, segment_id, cancelled, version=version)
        )
        if saved is not None:
            flash(f"{saved.data.supplier_name} is cancelled. You can take it up again.", "done")
            return redirect(url_for("bookings.show", booking_id=booking_id), 303)
    page = render_template("bookings/cancel_segment.html", form=form, booking=booking, segment=segment)
    return page, 422 if form.errors else 200


@blueprint.post("/<id:booking_id>/segments/<id:segment_id>/take-up")
@login_required
def take_up_segment(booking_id: str, segment_id: str) -> ResponseReturnValue:
    """A cancelled segment is part of the trip again, with its dates and amounts as they were."""
    version = number_from(request.form.get("version", ""))
    do_and_say(
        lambda: trips().bookings.cancel_segment(current_agent(), booking_id, segment_id, None, version=version),
        lambda saved: f"{saved.data.supplier_name} is part of the trip again.",
    )
    return redirect(url_for("bookings.show", booking_id=booking_id), 303)


@blueprint.post("/<id:booking_id>/segments/<id:segment_id>/remove")
@login_required
def remove_segment(booking_id: str, segment_id: str) -> ResponseReturnValue:
    """Takes a segment off the booking, when nothing was asked for on it yet."""
    version = number_from(request.form.get("version", ""))
    do_and_say(
        lambda: trips().bookings.remove_segment(current_agent(), booking_id, segment_id, version=version),
        lambda _: "The segment is removed.",
    )
    return redirect(url_for("bookings.show", booking_id=booking_id), 303)


def _filter() -> BookingFilter:
    status = request.args.get("status", "")
    return BookingFilter(
        text=typed_text(),
        status=BookingStatus(status) if status in list(BookingStatus) else None,
        order=asked_order(BookingSort, BY_CHANGE),
    )


def _booking_page(form: BookingForm, booking: BookingDetail | None) -> ResponseReturnValue:
    """The form with those who are ticked, and without scripts with those who were looked for."""
    text = request.form.get("people", "")[:100] if _is_looking_for_people() else ""
    page = render_template(
        "bookings/edit.html",
        form=form,
        booking=booking,
        chosen=sales().clients.named(current_agent(), form.passenger_ids),
        found=_found_people(text, form.passenger_ids),
        text=text,
    )
    return page, 422 if form.errors else 200


def _is_looking_for_people() -> bool:
    """Whether the form's own search button sent it, as it does without scripts: nothing is saved then."""
    return "find" in request.form


def _found_people(text: str, chosen: Collection[str]) -> list[ClientDetail]:
    actor = current_agent()
    found = sales().clients.search(actor, text)
    return [client for client in found if actor.owns(client.agent_id) and client.id not in chosen]


def _typed_currency(current: str) -> str:
    """The currency in which the amounts of this very form are written."""
    typed = request.form.get("currency", current)
    return typed if typed in {code for code, _ in currency_choices()} else current


def _booking_values(booking: BookingDetail) -> dict[str, object]:
    return {
        "version": booking.version,
        "title": booking.title,
        "status": booking.status.value,
        "currency": booking.currency,
        "passengers": [passenger.client_id for passenger in booking.passengers],
        "lead": [passenger.client_id for passenger in booking.passengers if passenger.is_lead],
        "service_fee": booking.service_fee,
        "service_fee_description": booking.service_fee_description,
        "notes": booking.notes,
    }


def _csv_row(booking: BookingDetail) -> tuple[object, ...]:
    return (
        booking.title,
        STATUS_WORDS[booking.status],
        booking.lead.name if booking.lead else "",
        booking.begins_on,
        booking.ends_on,
        booking.currency,
        booking.total.decimal,
        booking.commission.decimal,
        booking.agent_name,
    )


def _segment_of(booking: BookingDetail, segment_id: str) -> SegmentDetail:
    segment = booking.segment(segment_id)
    if segment is None:
        raise NotFound("There is no such segment on this booking.")
    return segment


def _segment_form(booking: BookingDetail, segment: SegmentDetail | None) -> SegmentForm:
    data = {**shallow(segment.data), **point_values(segment.data)} if segment else {}
    blank = 3 if "more" in request.form else 0
    return make_segment_form(currency=booking.currency, data={**data, "version": booking.version}, blank_rows=blank)


def _is_to_save(form: SegmentForm) -> bool:
    """Whether everything is right and nothing but saving was asked for."""
    if "more" in request.form:
        return False
    valid = form.validate_on_submit()
    return form.is_submitted() and form.check_rows() and valid


def _read_schedule(form: SegmentForm, booking: BookingDetail) -> SegmentForm | None:
    """The form with a pasted schedule's due amounts in its fields, to be looked at before it is saved; None where none
    was pasted or something else is wrong first."""
    if not form.is_submitted() or not form.schedule.data or not form.validate():
        return None
    today = core().clock.now().astimezone(zone()).date()
    entered = form.entered()
    read = read_schedule(
        form.schedule.data, currency=booking.currency, price=entered.price, begins_on=entered.begins_on, today=today
    )
    if isinstance(read, Unreadable):
        form.refuse("schedule", read.why)
        return form
    data = {**shallow(entered), **point_values(entered), **shallow(read), "version": form.version.data}
    flash(f"{plural(_count(read), 'due amount')} read. Look them over, then save.", "info")
    return make_segment_form(currency=booking.currency, data=data, typed=False)


def _count(read: Schedule) -> int:
    return len(read.instalments) + sum(amount is not None for amount in (read.deposit, read.final))


def _segment_page(form: SegmentForm, booking: BookingDetail, segment: SegmentDetail | None) -> ResponseReturnValue:
    page = render_template(
        "bookings/segment.html",
        form=form,
        booking=booking,
        segment=segment,
        suppliers=sales().suppliers.names(current_agent()),
        zones=city_zones(),
    )
    return page, 422 if form.errors else 200
