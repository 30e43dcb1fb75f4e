"""Pages of visits: the form that asks for everything at once, remind, withdraw; panels on other rooms' pages."""

import secrets
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from chassis.errors import InvalidArgument, PermissionDenied
from chassis.visit_words import document_line, insurance_line, payment_line
from services.crm.access.parts import access
from services.crm.core.actor import Actor
from services.crm.core.forms import do_and_say, shown_issue
from services.crm.core.panels import Panel
from services.crm.core.qr import qr_code
from services.crm.core.web import current_agent, login_required
from services.crm.office.parts import office
from services.crm.office.visits.forms import VisitForm, make_form, read_form
from services.crm.office.visits.service import Visit, VisitRequest
from services.crm.paying.links.pages import Doubts, doubts_about, first_payment
from services.crm.paying.parts import paying
from services.crm.signing.esign.rules import DocumentKind
from services.crm.signing.esign.service import FeeRestricted, Template
from services.crm.signing.parts import signing
from services.crm.trips.bookings.service import BookingDetail
from services.crm.trips.parts import trips

blueprint = Blueprint("visits", __name__, template_folder="templates", url_prefix="/visits")


@blueprint.route("/new/<id:booking_id>", methods=["GET", "POST"])
@login_required
def new(booking_id: str) -> ResponseReturnValue:
    """Asks one passenger for everything at once. What the letter says is shown before it is sent."""
    actor = current_agent()
    booking = trips().bookings.get(actor, booking_id)
    if not actor.owns(booking.agent_id):
        raise PermissionDenied("Only the agent who owns this booking can ask for something for it.")
    templates = _sendable(actor)
    form = make_form(booking, templates, **_first_values(actor, booking))
    doubtful, warning, lines = Doubts(), "", list[str]()
    if request.method == "POST" and (wanted := read_form(form)) is not None:
        lines = _lines(wanted, templates)
        doubtful = _doubts(booking, form, wanted)
        if not doubtful and request.form.get("look") != "yes":
            try:
                return _sent(office().visits.send(actor, booking_id, wanted))
            except FeeRestricted as restricted:
                warning = restricted.message
            except InvalidArgument as error:
                form.refuse(error.field if error.field in form else "", error.message)
    page = render_template(
        "visits/new.html",
        form=form,
        booking=booking,
        agent=access().directory.agent(actor.agent_id),
        templates=templates,
        doubtful=doubtful,
        warning=warning,
        lines=lines,
    )
    return page, 422 if form.errors or doubtful or warning else 200


@blueprint.post("/<id:visit_id>/remind")
@login_required
def remind(visit_id: str) -> ResponseReturnValue:
    """Mails what was not answered again, with fresh time."""
    visit = do_and_say(
        lambda: office().visits.remind(current_agent(), visit_id, issue=shown_issue()),
        lambda visit: f"It is on its way to {visit.email} again.",
    )
    return redirect(_back(visit), 303)


@blueprint.post("/<id:visit_id>/withdraw")
@login_required
def withdraw(visit_id: str) -> ResponseReturnValue:
    """Takes back what was not answered."""
    visit = do_and_say(
        lambda: office().visits.withdraw(current_agent(), visit_id),
        lambda visit: f"What {visit.passenger_name} had not answered yet is taken back.",
    )
    return redirect(_back(visit), 303)


def booking_panel(actor: Actor, booking: BookingDetail) -> Panel:
    """What was asked for at once on a booking's page: each visit as one row with its parts."""
    return Panel(
        template="visits/booking_panel.html",
        data={
            "booking": booking,
            "own": actor.owns(booking.agent_id),
            "visits": office().visits.of_booking(actor, booking) if _has_visits(actor, booking) else [],
        },
    )


def links_panel(actor: Actor) -> Panel | None:
    """The same on the page of all links."""
    visits = office().visits.newest(actor)
    return Panel(template="visits/links_panel.html", data={"visits": visits, "actor": actor}) if visits else None


def _has_visits(actor: Actor, booking: BookingDetail) -> bool:
    """What the other panels read says so already: no visit is without parts."""
    return (
        any(link.visit_id for link in paying().links.of_booking(actor, booking.id))
        or any(asked.visit_id for asked in signing().book.of_booking(booking))
        or any(offer.visit_id for offer in signing().insurance.of_booking(booking))
    )


def _sent(visit: Visit) -> ResponseReturnValue:
    back = url_for("bookings.show", booking_id=visit.booking_id) + "#visits"
    if request.form.get("show") == "yes" and visit.fresh_url:
        return render_template("visits/sent.html", visit=visit, qr=qr_code(visit.fresh_url), back=back)
    flash(f"The request is on its way to {visit.passenger_name}.", "done")
    return redirect(back, 303)


def _doubts(booking: BookingDetail, form: VisitForm, wanted: VisitRequest) -> Doubts:
    """About the payment, until the agent says that it is meant; never about a form that was sent before."""
    if wanted.payment is None or form.overpay_ok.data or office().visits.was_sent(wanted):
        return Doubts()
    return doubts_about(booking, paying().schedule.of(booking), wanted.payment)


def _lines(wanted: VisitRequest, templates: list[Template]) -> list[str]:
    """What the letter lists."""
    titles = {template.id: template.title for template in templates}
    lines = [insurance_line(wanted.offer.plan, wanted.offer.price.format())] if wanted.offer else []
    lines += [document_line(titles[each]) for each in wanted.document_ids if each in titles]
    if wanted.payment:
        lines.append(payment_line(wanted.payment.shares[0].amount.format(), wanted.payment.purpose))
    return lines


def _sendable(actor: Actor) -> list[Template]:
    """What can be signed in a visit: the library's documents. An authorization is signed with its payment, and the
    insurance offer has its own part."""
    apart = {DocumentKind.INSURANCE, DocumentKind.CARD_AUTHORIZATION}
    return [each for each in signing().library.templates(actor) if not each.archived and each.kind not in apart]


def _first_values(actor: Actor, booking: BookingDetail) -> dict[str, Any]:  # Any: whatever a field takes as data
    """What the form shows first: the lead, the documents that are still missing, and the next amount that is due."""
    requests = signing().book.of_booking(booking)
    missing = [each.template_id for each in signing().book.lacking(actor, booking, requests) if not each.waiting]
    first = first_payment(booking, paying().schedule.of(booking))
    lead = next((each.client_id for each in booking.passengers if each.email), "")
    return {
        "request_key": secrets.token_urlsafe(24),
        "client_id": lead,
        "document_ids": missing,
        "ask_payment": "amount" in first,
        **first,
    }


def _back(visit: Visit | None) -> str:
    """The page the button stood on."""
    if request.form.get("from") == "links":
        return url_for("link_overview.index") + "#visits"
    if visit is None:
        return url_for("bookings.index")
    return url_for("bookings.show", booking_id=visit.booking_id) + "#visits"
