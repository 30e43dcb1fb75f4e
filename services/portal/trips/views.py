"""Pages of trips: list, trip, add a payment, calendar file, itinerary as PDF."""

import secrets
from typing import cast

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from chassis import calendar
from chassis.errors import InvalidArgument, NotFound
from chassis.itinerary import KIND_ICONS, KIND_WORDS
from chassis.money import Money
from chassis.paper.itinerary import pdf as itinerary_pdf
from chassis.web.downloads import download, file_name
from services.portal.looks import dress_as, origin_of_request
from services.portal.parts import portal
from services.portal.trips.calendar import DUE_WORDS, entries_of
from services.portal.trips.forms import AddPaymentForm, ReportForm
from services.portal.trips.itinerary import fee_words, plan_of, printed
from services.portal.trips.rules import PayType
from services.portal.trips.service import Part, TripView
from services.portal.web import client_required, current_client

blueprint = Blueprint("trips", __name__, template_folder="templates")


@blueprint.get("/trips")
@client_required
def index() -> ResponseReturnValue:
    """The client's trips: those ahead first, those that are over below, and what waits for them."""
    client = current_client()
    ahead, over = portal().trips.of_client(client.client_id)
    return render_template(
        "trips/index.html",
        client=client,
        ahead=ahead,
        over=over,
        asked=portal().links.asked_of(client.client_id),
        kind_icons=KIND_ICONS,
    )


@blueprint.get("/trips/<booking_id>")
@client_required
def show(booking_id: str) -> ResponseReturnValue:
    """One trip: each part with what is paid and due, the documents, their payments."""
    client, view = current_client(), _own_trip(booking_id)
    asked = [link for link in portal().links.asked_of(client.client_id) if link.request.booking_id == view.trip.id]
    return render_template(
        "trips/show.html",
        client=client,
        view=view,
        trip=view.trip,
        asked=asked,
        payments=portal().payments.list_of_client(client.client_id, booking_id=view.trip.id),
        documents=portal().trip_documents.of_trip(client.client_id, view.trip.id),
        kinds=KIND_WORDS,
        kind_icons=KIND_ICONS,
        due_words=DUE_WORDS,
    )


@blueprint.route("/trips/<booking_id>/pay/<segment_id>", methods=["GET", "POST"])
@client_required
def pay(booking_id: str, segment_id: str) -> ResponseReturnValue:
    """P3: what kind of payment and how much; card and signature are given on the next page."""
    view = _own_trip(booking_id)
    part = _part(view, segment_id)
    form = AddPaymentForm(currency=view.trip.currency, data=_first_values(part))
    form.offer(part.offers)
    if part.offers and form.validate_on_submit():
        link_id = _start(view, part, form)
        if link_id:
            return redirect(url_for("payments.authorize", link_id=link_id), 303)
    page = render_template("trips/pay.html", view=view, trip=view.trip, part=part, form=form, kinds=KIND_WORDS)
    return page, 422 if form.errors else 200


@blueprint.route("/trips/<booking_id>/paid/<segment_id>", methods=["GET", "POST"])
@client_required
def report(booking_id: str, segment_id: str) -> ResponseReturnValue:
    """C6: the client has paid otherwise and says so; their agent confirms it."""
    client, view = current_client(), _own_trip(booking_id)
    part = _part(view, segment_id)
    form = ReportForm(currency=view.trip.currency, data={"request_key": secrets.token_urlsafe(24)})
    if form.validate_on_submit():
        try:
            payment_id = portal().own_reports.tell(client, view, segment_id, form.entered())
        except InvalidArgument as error:
            form.refuse(error.field, error.message)
        else:
            return redirect(url_for("payments.show", payment_id=payment_id), 303)
    page = render_template("trips/report.html", view=view, trip=view.trip, part=part, form=form)
    return page, 422 if form.errors else 200


@blueprint.get("/trips/<booking_id>/calendar.ics")
@client_required
def calendar_file(booking_id: str) -> ResponseReturnValue:
    """P9: the trip for their own calendar."""
    view = _own_trip(booking_id)
    # It says what is paid by now, which no change of the trip tells.
    content = calendar.write(view.trip.title, entries_of(view), changed_at=portal().core.clock.now())
    return download(content, content_type=calendar.CONTENT_TYPE, name=f"{file_name(view.trip.title)}.ics")


@blueprint.get("/trips/<booking_id>/days")
@client_required
def days(booking_id: str) -> ResponseReturnValue:
    """C5: the trip day by day."""
    view = _own_trip(booking_id)
    return render_template(
        "trips/days.html",
        view=view,
        trip=view.trip,
        plan=plan_of(view.trip),
        fee=fee_words(view.trip),
        total="",
        documents=_titles(view),
    )


@blueprint.get("/trips/<booking_id>/itinerary.pdf")
@client_required
def itinerary(booking_id: str) -> ResponseReturnValue:
    """The trip on paper."""
    view = _own_trip(booking_id)
    content = itinerary_pdf(printed(view, documents=_titles(view)))
    return download(content, content_type="application/pdf", name=f"{file_name(view.trip.title)}.pdf")


def _titles(view: TripView) -> tuple[str, ...]:
    """What the documents of the trip are called that the client may see."""
    documents = portal().trip_documents.of_trip(current_client().client_id, view.trip.id)
    return tuple(each.title for each in documents)


def _own_trip(booking_id: str) -> TripView:
    view = portal().trips.get(current_client().client_id, booking_id)
    # The trip may be another agent's than the one the client knows from their account.
    dress_as(view.agent)
    return view


def _part(view: TripView, segment_id: str) -> Part:
    part = view.part(segment_id)
    if part is None:
        raise NotFound("There is no such part of this trip.")
    return part


def _start(view: TripView, part: Part, form: AddPaymentForm) -> str:
    try:
        return portal().own_payments.start(
            current_client(),
            view,
            part.segment.id,
            kind=form.kind,
            amount=cast(Money, form.amount.data),
            request_key=form.request_key.data or secrets.token_urlsafe(24),
            origin=origin_of_request(),
        )
    except InvalidArgument as error:
        form.refuse(error.field, error.message)
        return ""


def _first_values(part: Part) -> dict[str, object]:
    first = next(iter(part.offers), None)
    key = secrets.token_urlsafe(24)
    if first is None:
        return {"request_key": key}
    # A reminder's button names the very amount that is due.
    due = next((each for each in part.schedule if each.id == request.args.get("due") and each.open.minor), None)
    if due is not None:
        offered = {each.type for each in part.offers}
        whole = part.balance.due is not None and due.open == part.balance.due
        kind = PayType.FINAL if whole else due.type if due.type in offered - {PayType.FINAL} else PayType.REGULAR
        return {"type": kind.value, "amount": due.open, "request_key": key}
    wanted = request.args.get("type", "")
    first = next((each for each in part.offers if each.type.value == wanted), first)
    return {"type": first.type.value, "amount": first.amount, "request_key": key}
