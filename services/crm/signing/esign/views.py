"""Pages of signing requests: what was sent, sending, the printed form, one request; panels on other rooms' pages."""

import secrets
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from chassis.errors import InvalidArgument, PermissionDenied
from chassis.paper.faces import name_them, unprintable
from chassis.web.formatting import plural
from services.crm.access.parts import access
from services.crm.core.actor import Actor
from services.crm.core.addresses import page_number, same_list, with_same_filter
from services.crm.core.export import table_response
from services.crm.core.forms import attempt, do_and_say, shown_issue
from services.crm.core.headings import Headings, asked_order
from services.crm.core.panels import Panel
from services.crm.core.parts import core
from services.crm.core.web import current_agent, login_required
from services.crm.sales.clients.service import ClientDetail
from services.crm.signing.esign.forms import PrintForm, SendForm, make_send_form, read_send_form
from services.crm.signing.esign.paper import PaperForm
from services.crm.signing.esign.paper import form_pdf as set_form
from services.crm.signing.esign.rules import DONE, WAITING, DocumentKind, RequestState
from services.crm.signing.esign.service import (
    NEWEST,
    REQUEST_KEYS,
    FeeRestricted,
    RequestFilter,
    RequestSort,
    SignRequest,
    Template,
)
from services.crm.signing.parts import signing
from services.crm.trips.bookings.service import BookingDetail, Passenger
from services.crm.trips.parts import trips

blueprint = Blueprint(
    "esign",
    __name__,
    template_folder="templates",
    static_folder="static",
    static_url_path="/static/esign",
    url_prefix="/signatures",
)

_CHIPS = {
    "waiting": ("Waiting", WAITING),
    "signed": ("Signed", DONE),
    "expired": ("Expired", frozenset({RequestState.EXPIRED})),
    "withdrawn": ("Taken back", frozenset({RequestState.WITHDRAWN})),
    "all": ("All", frozenset()),
}
_STATE_WORDS = {
    RequestState.ISSUED: "Sending",
    RequestState.SENT: "Sent",
    RequestState.OPENED: "Opened",
    RequestState.SIGNED: "Signed",
    RequestState.PAPER: "Signed on paper",
    RequestState.EXPIRED: "Expired",
    RequestState.WITHDRAWN: "Taken back",
}
_CSV_HEADER = ("Document", "Client", "E-mail", "Trip", "Sent (UTC)", "State", "Signed (UTC)", "Agent")


@blueprint.get("")
@login_required
def index() -> ResponseReturnValue:
    """What was sent to be signed; filter and page stay in the address."""
    actor = current_agent()
    chosen, wanted = _wanted()
    page = signing().book.list_page(actor, wanted, page_number())
    chips = [(label, same_list(state=value), value == chosen) for value, (label, _) in _CHIPS.items()]
    names = access().directory.names_in(actor) if actor.is_admin else {}
    return render_template(
        "esign/index.html",
        page=page,
        chips=chips,
        chosen=chosen,
        sort=Headings(wanted.order, REQUEST_KEYS, NEWEST),
        same_list=same_list,
        csv_url=with_same_filter("esign.export"),
        names=names,
        actor=actor,
    )


@blueprint.get("/documents-to-sign.xlsx")
@blueprint.get("/documents-to-sign.csv")
@login_required
def export() -> ResponseReturnValue:
    """The list as the filter shows it."""
    actor = current_agent()
    names = access().directory.names_in(actor)
    found = signing().book.export(actor, _wanted()[1])
    return table_response("documents-to-sign", _CSV_HEADER, (_csv_row(asked, names) for asked in found))


def _wanted() -> tuple[str, RequestFilter]:
    chosen = request.args.get("state", "waiting")
    chosen = chosen if chosen in _CHIPS else "all"
    return chosen, RequestFilter(states=_CHIPS[chosen][1], order=asked_order(RequestSort, NEWEST))


def _csv_row(asked: SignRequest, names: dict[str, str]) -> tuple[object, ...]:
    return (
        asked.title,
        asked.signer_name,
        asked.email,
        asked.booking_title,
        asked.issued_at,
        asked.delivery_problem or _STATE_WORDS[asked.state],
        asked.signed_at,
        names.get(asked.agent_id, ""),
    )


@blueprint.get("/<id:request_id>")
@login_required
def show(request_id: str) -> ResponseReturnValue:
    """One request: its exact text, where it stands, and what was signed."""
    actor = current_agent()
    asked, signed = signing().book.get(actor, request_id)
    return render_template("esign/show.html", asked=asked, signed=signed, own=actor.owns(asked.agent_id))


@blueprint.get("/<id:request_id>/signed.pdf")
@login_required
def signed_pdf(request_id: str) -> ResponseReturnValue:
    """The signed PDF as a download."""
    return pdf_download(signing().book.pdf(current_agent(), request_id), "signed-document.pdf")


@blueprint.route("/new/<id:booking_id>", methods=["GET", "POST"])
@login_required
def new(booking_id: str) -> ResponseReturnValue:
    """Sends a document to passengers of a booking."""
    actor = current_agent()
    booking = trips().bookings.get(actor, booking_id)
    if not actor.owns(booking.agent_id):
        raise PermissionDenied("Only the agent who owns this booking can send documents for it.")
    templates = sendable(actor)
    form = make_send_form(booking, templates, **_first_values(booking, templates))
    warning = ""
    if request.method == "POST" and (wanted := read_send_form(form)) is not None:
        try:
            sent = signing().requests.send(actor, booking_id, wanted)
        except FeeRestricted as restricted:
            warning = restricted.message
        except InvalidArgument as error:
            form.refuse(error.field, error.message)
        else:
            flash(f"“{sent[0].title}” is on its way to {plural(len(sent), 'passenger')}.", "done")
            return redirect(url_for("bookings.show", booking_id=booking_id) + "#documents", 303)
    return _send_page(actor, booking, templates, form, warning)


def _send_page(
    actor: Actor, booking: BookingDetail, templates: list[Template], form: SendForm, warning: str
) -> ResponseReturnValue:
    fees = [template for template in templates if template.kind is DocumentKind.SERVICE_FEE]
    restricted = signing().requests.restricted(actor, booking, fees[0]) if fees else {}
    page = render_template(
        "esign/new.html", form=form, booking=booking, templates=templates, warning=warning, restricted=restricted
    )
    return page, 422 if form.errors or warning else 200


@blueprint.get("/print/<id:booking_id>")
@login_required
def print_form(booking_id: str) -> ResponseReturnValue:
    """The form for a client without a computer: the text, and lines to sign on. It has no place for a card number."""
    actor = current_agent()
    booking = trips().bookings.get(actor, booking_id)
    template, passenger = _print_choice(actor, booking, request.args.get("template"), request.args.get("client"))
    return _print_page(actor, booking, template, passenger, _print_form(template, passenger))


def _print_page(
    actor: Actor, booking: BookingDetail, template: Template, passenger: Passenger | None, form: PrintForm
) -> str:
    paper, unfilled = _paper_form(actor, booking, template, passenger)
    return render_template(
        "esign/print.html",
        booking=booking,
        templates=sendable(actor),
        template=template,
        passenger=passenger,
        paper=paper,
        unfilled=unfilled,
        odd=name_them(unprintable("\n".join((paper.title, paper.text, paper.signer_name)))) if paper else "",
        own=actor.owns(booking.agent_id),
        form=form,
    )


@blueprint.get("/print/<id:booking_id>/form.pdf")
@login_required
def form_pdf(booking_id: str) -> ResponseReturnValue:
    """The same form as a PDF; while something is missing for it, the page says what."""
    actor = current_agent()
    booking = trips().bookings.get(actor, booking_id)
    template, passenger = _print_choice(actor, booking, request.args.get("template"), request.args.get("client"))
    paper, unfilled = _paper_form(actor, booking, template, passenger)
    if paper is None or unfilled:
        chosen, client = template.id, passenger.client_id if passenger else None
        return redirect(url_for("esign.print_form", booking_id=booking_id, template=chosen, client=client), 303)
    return pdf_download(set_form(paper), "form.pdf")


@blueprint.post("/paper/<id:booking_id>")
@login_required
def record_paper(booking_id: str) -> ResponseReturnValue:
    """Notes that the printed form was signed."""
    actor = current_agent()
    booking = trips().bookings.get(actor, booking_id)
    if not actor.owns(booking.agent_id):
        raise PermissionDenied("Only the agent who owns this booking can note what was signed for it.")
    form = PrintForm()
    signed_on = form.on.data if form.validate_on_submit() else None
    if signed_on is not None:
        noted = attempt(
            form,
            lambda: signing().requests.record_paper(
                actor,
                booking_id,
                template_id=form.template_id.data or "",
                client_id=form.client_id.data or "",
                signed_on=signed_on,
                request_key=form.request_key.data or "",
            ),
        )
        if noted:
            flash(f"Noted: {noted.signer_name} signed “{noted.title}” on signed. Keep the form.", "done")
            return redirect(url_for("bookings.show", booking_id=booking_id) + "#documents", 303)
    template, passenger = _print_choice(actor, booking, form.template_id.data, form.client_id.data)
    return _print_page(actor, booking, template, passenger, form), 422


@blueprint.post("/<id:request_id>/remind")
@login_required
def remind(request_id: str) -> ResponseReturnValue:
    """Mails the request again."""
    do_and_say(
        lambda: signing().requests.remind(current_agent(), request_id, issue=shown_issue()),
        lambda asked: f"A reminder is on its way to {asked.email}.",
    )
    return redirect(_back(request_id), 303)


@blueprint.post("/<id:request_id>/withdraw")
@login_required
def withdraw(request_id: str) -> ResponseReturnValue:
    """Takes the request back."""
    do_and_say(
        lambda: signing().requests.withdraw(current_agent(), request_id),
        lambda asked: f"“{asked.title}” is taken back: the link for {asked.signer_name} no longer works.",
    )
    return redirect(_back(request_id), 303)


def booking_panel(actor: Actor, booking: BookingDetail) -> Panel:
    """The documents part of a booking's page: what is missing, what was sent, what was signed (C8)."""
    requests = signing().book.of_booking(booking)
    return Panel(
        template="esign/booking_panel.html",
        data={
            "booking": booking,
            "own": actor.owns(booking.agent_id),
            "requests": requests,
            "missing": signing().book.lacking(actor, booking, requests),
        },
    )


def client_panel(actor: Actor, client: ClientDetail) -> Panel | None:
    """What a client was asked to sign, on their profile."""
    requests = signing().book.of_client(actor, client.id)
    return Panel(template="esign/client_panel.html", data={"requests": requests}) if requests else None


def sendable(actor: Actor) -> list[Template]:
    """What an agent may send from here: everything in the library but the insurance offer, which has a page of its
    own."""
    return [
        template
        for template in signing().library.templates(actor)
        if not template.archived and template.kind is not DocumentKind.INSURANCE
    ]


def pdf_download(pdf: bytes, file_name: str) -> Response:
    """A PDF that a browser saves and does not open in the CRM's name."""
    response = make_response(pdf)
    response.mimetype = "application/pdf"
    response.headers["Content-Disposition"] = f'attachment; filename="{file_name}"'
    return response


def _chosen(templates: list[Template], wanted: str) -> Template:
    return next((template for template in templates if template.id == wanted), templates[0])


def _first_values(booking: BookingDetail, templates: list[Template]) -> dict[str, object]:
    """What the form shows first: the document that was asked for, the lead ticked."""
    values: dict[str, object] = {
        "request_key": secrets.token_urlsafe(24),
        "template_id": _chosen(templates, request.args.get("template", "")).id,
    }
    for index in [index for index, passenger in enumerate(booking.passengers) if passenger.email][:1]:
        values[f"pick_{index}"] = True
    return values


def _print_choice(
    actor: Actor, booking: BookingDetail, template_id: str | None, client_id: str | None
) -> tuple[Template, Passenger | None]:
    """What is printed for whom: as the address or the form says, else the first document and the lead."""
    return _chosen(sendable(actor), template_id or ""), booking.passenger(client_id or "") or booking.lead


def _paper_form(
    actor: Actor, booking: BookingDetail, template: Template, passenger: Passenger | None
) -> tuple[PaperForm | None, list[str]]:
    """The form, None while nobody travels, and the tags of its text that the booking has no value for."""
    if passenger is None:
        return None, []
    text, unfilled = signing().requests.text_for(actor, booking.id, passenger.client_id, template.body)
    agency = access().directory.agency(booking.agency_id)
    today = core().clock.now().astimezone(ZoneInfo(agency.data.time_zone))
    paper = PaperForm(
        head=agency.letterhead,
        title=template.title,
        text=text,
        signer_name=passenger.name,
        agent_name=booking.agent_name,
        # Printed again on the same day it is the same file.
        made_at=today.replace(hour=0, minute=0, second=0, microsecond=0),
    )
    return paper, unfilled


def _print_form(template: Template, passenger: Passenger | None) -> PrintForm:
    return PrintForm(
        formdata=None,
        data={
            "request_key": secrets.token_urlsafe(24),
            "template_id": template.id,
            "client_id": passenger.client_id if passenger else "",
        },
    )


def _back(request_id: str) -> str:
    """The page the button stood on: the booking's, where the form said so."""
    booking_id = request.form.get("from_booking", "")
    asked, _ = signing().book.get(current_agent(), request_id)
    if booking_id == asked.booking_id:
        return url_for("bookings.show", booking_id=booking_id) + "#documents"
    return url_for("esign.show", request_id=request_id)
