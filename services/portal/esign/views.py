"""The eSignature tab: what waits for the client's signature and what she has signed (P5)."""

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue

from services.portal.account import client_required, current_client
from services.portal.esign.documents import TITLE, Documents
from services.portal.esign.pages import SigningRoom, pdf_download
from services.portal.esign.request_rules import RequestKind
from services.portal.esign.requests import SignRequests
from services.portal.esign.rules import DOCUMENT_CONSENT_TEXT

ROOM = SigningRoom(
    name="esign",
    import_name=__name__,
    path="sign",
    kind=RequestKind.DOCUMENT,
    consent_text=DOCUMENT_CONSENT_TEXT,
    read_template="esign/read.html",
    done_template="esign/done.html",
    file_name="signed-document.pdf",
)


def add_tab(room: Blueprint, *, requests: SignRequests, documents: Documents) -> None:
    """Adds the tab's pages, for clients who are signed in."""

    @room.get("/sign")
    @client_required
    def index() -> ResponseReturnValue:
        """What waits and what was signed."""
        client = current_client()
        return render_template(
            "esign/index.html",
            waiting=requests.waiting(client.client_id),
            signed=documents.signed_by(client.client_id),
            answers=requests.answers_of(client.client_id),
            authorization_title=TITLE,
            client=client,
        )

    @room.get("/sign/documents/<document_id>.pdf")
    @client_required
    def document(document_id: str) -> ResponseReturnValue:
        """A PDF that the client has signed."""
        pdf = documents.pdf_of_client(current_client().client_id, document_id[:64])
        if pdf is None:
            abort(404)
        return pdf_download(pdf, "signed-document.pdf")
