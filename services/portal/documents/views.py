"""Pages of trip documents: the list, and each as a download."""

from dataclasses import dataclass
from typing import cast

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue

from chassis.web.downloads import download
from services.portal.account import client_required, current_client
from services.portal.documents.service import TripDocument, TripDocuments
from services.portal.trips.service import Trips, TripView

blueprint = Blueprint("documents", __name__, template_folder="templates")
EXTENSION = "portal_documents"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentPages:
    """What the room's pages stand on."""

    documents: TripDocuments
    trips: Trips


def _pages() -> DocumentPages:
    return cast(DocumentPages, current_app.extensions[EXTENSION])


@blueprint.get("/documents")
@client_required
def index() -> ResponseReturnValue:
    """Every document that was shared with the client, by trip."""
    client = current_client()
    ahead, over = _pages().trips.of_client(client.client_id)
    found = _pages().documents.of_client(client.client_id)
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
    held = _pages().documents.file(current_client().client_id, document_id)
    return download(held.content, content_type=held.content_type, name=held.file_name)
