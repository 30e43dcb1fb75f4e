"""Pages of booking documents: the panel on the booking, the form, download, take back."""

import secrets

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from chassis.errors import PermissionDenied
from chassis.web.downloads import download
from chassis.web.tripwire import says_of_file_names
from services.crm.core.actor import Actor
from services.crm.core.forms import attempt
from services.crm.core.panels import Panel
from services.crm.core.web import current_agent, login_required
from services.crm.sales.clients.service import ClientDetail
from services.crm.trips.bookings.service import BookingDetail
from services.crm.trips.documents.forms import SOME, ShareForm
from services.crm.trips.documents.service import MAX_BYTES, Document, Upload
from services.crm.trips.parts import trips

blueprint = Blueprint("documents", __name__, template_folder="templates")

_NO_FILE = "Choose a file."


def booking_panel(actor: Actor, booking: BookingDetail) -> Panel:
    """The place on the booking's page."""
    found = trips().documents.of_booking(actor, booking.id)
    return Panel(
        template="documents/booking_panel.html",
        data={
            "booking": booking,
            "own": actor.owns(booking.agent_id),
            "shared": [(each, _readers(booking, each)) for each in found if each.withdrawn_at is None],
            "withdrawn": [each for each in found if each.withdrawn_at is not None],
        },
    )


def client_panel(actor: Actor, client: ClientDetail) -> Panel | None:
    """The place on a client's profile; nothing while there is nothing."""
    found = trips().documents.of_client(actor, client.id)
    return Panel(template="documents/client_panel.html", data={"documents": found}) if found else None


@blueprint.route("/bookings/<id:booking_id>/documents/new", methods=["GET", "POST"])
@login_required
@says_of_file_names
def share(booking_id: str) -> ResponseReturnValue:
    """P4: shares a file with the travelers."""
    actor = current_agent()
    booking = trips().bookings.get(actor, booking_id)
    if not actor.owns(booking.agent_id):
        raise PermissionDenied("Only the agent who owns this booking can share documents with its travelers.")
    form = ShareForm(data={"request_key": secrets.token_urlsafe(24)})
    form.offer([(passenger.client_id, passenger.name) for passenger in booking.passengers])
    if form.validate_on_submit() and (upload := _upload(form)) is not None:
        shared = attempt(form, lambda: trips().documents.share(actor, booking_id, upload))
        if shared is not None:
            flash(f"“{shared.title}” is shared.", "done")
            return redirect(_booking(booking_id), 303)
    page = render_template(
        "documents/share.html",
        form=form,
        booking=booking,
        max_mb=MAX_BYTES // 1024 // 1024,
        chosen=form.whom.data,
        some=SOME,
    )
    return page, 422 if form.errors else 200


@blueprint.get("/documents/<id:document_id>")
@login_required
def file(document_id: str) -> ResponseReturnValue:
    """The document as a download: never shown in a page of ours, whatever is in it."""
    held = trips().documents.file(current_agent(), document_id)
    return download(held.content, content_type=held.content_type, name=held.file_name)


@blueprint.post("/documents/<id:document_id>/withdraw")
@login_required
def withdraw(document_id: str) -> ResponseReturnValue:
    """Takes it back for good."""
    document = trips().documents.withdraw(current_agent(), document_id)
    flash(f"“{document.title}” was taken back. Nobody can open it any more.", "done")
    return redirect(_booking(document.booking_id), 303)


def _upload(form: ShareForm) -> Upload | None:
    """What was chosen, or None with the reason in the form."""
    sent = form.file.data
    if not sent or not sent.filename:
        form.refuse("file", _NO_FILE)
    if form.whom.data == SOME and not form.reader_ids:
        form.refuse("readers", "Tick at least one passenger, or share it with every passenger.")
    if form.whom.data != SOME and form.has_ticked_some:
        form.refuse(
            "whom", "You ticked passengers below. Choose “Only these”, or untick them to share it with everyone."
        )
    if form.errors:
        return None
    return Upload(
        request_key=form.request_key.data or secrets.token_urlsafe(24),
        file_name=sent.filename,
        # One byte more than may be tells a file that is too large.
        content=sent.stream.read(MAX_BYTES + 1),
        title=form.title.data or "",
        reader_ids=form.reader_ids,
        tell=bool(form.tell.data),
    )


def _readers(booking: BookingDetail, document: Document) -> str:
    """ "Everyone", or names of those who may see it and are on the booking."""
    if document.for_everyone:
        return "Everyone"
    names = [booking.passenger(client_id) for client_id in document.reader_ids]
    return ", ".join(each.name for each in names if each is not None) or "Nobody on this booking any more"


def _booking(booking_id: str) -> str:
    return url_for("bookings.show", booking_id=booking_id, _anchor="shared")
