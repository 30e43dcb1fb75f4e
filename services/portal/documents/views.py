"""Pages of trip documents: the list, and each as a download."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from chassis.web.downloads import download
from services.portal.documents.service import TripDocument
from services.portal.parts import portal
from services.portal.trips.service import TripView
from services.portal.web import client_required, current_client

blueprint = Blueprint("documents", __name__, template_folder="templates")


@blueprint.get("/documents")
@client_required
def index() -> ResponseReturnValue:
    """Every document that was shared with the client, by trip."""
    client = current_client()
    ahead, over = portal().trips.of_client(client.client_id)
    found = portal().trip_documents.of_client(client.client_id)
    groups: list[tuple[TripView, list[TripDocument]]] = [
        (view, [each for each in found if each.booking_id == view.trip.id]) for view in (*ahead, *over)
    ]
    return render_template(
        "documents/index.html", client=client, groups=[(view, held) for view, held in groups if held]
    )


@blueprint.get("/documents/<document_id>")
@client_required
def file(document_id: str) -> ResponseReturnValue:
    """The document as a download: never shown in a page of ours, whatever is in it."""
    held = portal().trip_documents.file(current_client().client_id, document_id)
    return download(held.content, content_type=held.content_type, name=held.file_name)
